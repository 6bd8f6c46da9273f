import { SpanStatusCode } from '@opentelemetry/api';
import type { AuditOutcome } from '@behalf/audit';
import type { AttributeDescription } from '@behalf/directives/internal';
import type { Stage } from '../stages/stages.js';
import { isPlainOperationName } from './recorded-text.js';

/** The attributes of a request's span. It has no other ones, so nothing of a person and no value can be in it. */
export const requestSpanAttributes = Object.freeze({
  'graphql.operation.type': {
    source: 'OpenTelemetry',
    description: '`query` or `mutation`; also the span’s name.',
  },
  'graphql.operation.name': {
    source: 'OpenTelemetry',
    description: 'The operation’s name, if it is short and plain. The document is never an attribute.',
  },
  'error.type': { source: 'OpenTelemetry', description: 'The code why the operation was refused or failed.' },
  'behalf.transaction_id': {
    source: 'Behalf',
    description: 'Names the audit record, and is `txn` of the transaction tokens.',
  },
  'behalf.outcome': { source: 'Behalf', description: 'How it ended, as in the audit record.' },
  'behalf.client_id': { source: 'Behalf', description: 'The application.' },
  'behalf.consent_version': { source: 'Behalf', description: 'The version of the consent behind the token.' },
  'behalf.denied': { source: 'Behalf', description: 'How many coordinates the gateway denied.' },
  'behalf.policy_version': { source: 'Behalf', description: 'Digest of the policy.' },
  'behalf.supergraph_version': { source: 'Behalf', description: 'Digest of the supergraph.' },
} as const satisfies Record<string, AttributeDescription>);

type RequestSpanAttributes = {
  readonly [Name in keyof typeof requestSpanAttributes]: string | number | undefined;
};

const MAX_CLIENT_LENGTH = 256;

/** Says on the request's span how it ended. */
export function describeRequestSpan(stage: Stage, outcome: AuditOutcome, reason: string | undefined): void {
  const { exchange, operation, delegation, authorization } = stage;
  const { span } = exchange;
  const type = operation?.operation.operation;
  const name = operation?.operation.name?.value;
  const attributes: RequestSpanAttributes = {
    'graphql.operation.type': type,
    'graphql.operation.name': name !== undefined && isPlainOperationName(name) ? name : undefined,
    'error.type': reason,
    'behalf.transaction_id': exchange.transactionId,
    'behalf.outcome': outcome,
    'behalf.client_id': delegation?.clientId.slice(0, MAX_CLIENT_LENGTH),
    'behalf.consent_version': delegation?.consent?.version,
    'behalf.denied': authorization?.denials.length,
    'behalf.policy_version': stage.rules?.version,
    'behalf.supergraph_version': stage.supergraph,
  };
  if (type !== undefined) span.updateName(type);
  // OpenTelemetry's types forbid what its SDKs ignore.
  for (const [key, value] of Object.entries(attributes))
    if (value !== undefined) span.setAttribute(key, value);
  if (outcome === 'failed') span.setStatus({ code: SpanStatusCode.ERROR });
}
