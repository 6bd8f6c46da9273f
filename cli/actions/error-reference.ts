import {
  denialErrors,
  directiveErrors,
  entityErrors,
  passOnErrors,
  requestErrors,
  statisticErrors,
  subgraphLogCodes,
  subscriptionErrors,
  txnTokenRefusals,
} from '@behalf/directives/internal';
import type { ErrorDescription } from '@behalf/directives/internal';
import { auditErrors } from '@behalf/audit';
import { logErrors } from '@behalf/audit/internal/log';
import { verificationErrors } from '@behalf/audit-verify';
import { witnessErrors } from '@behalf/witness';
import { applicationErrors } from '@behalf/authority/clients';
import {
  authorityErrors,
  authorityLogCodes,
  authorityReadinessCodes,
  authorityRequestErrors,
} from '@behalf/authority/internal';
import {
  configurationErrors,
  gatewayErrors,
  httpErrors,
  logCodes,
  readinessCodes,
  supergraphErrors,
  revocationErrors,
} from '@behalf/gateway/internal';
import { policyErrors } from '@behalf/policy';
import { storeErrors, storeLogCodes } from '@behalf/store';
import { commandErrors } from '../command-error.js';
import { composeErrors } from '@behalf/gateway/tools';

export interface ErrorRegistry {
  readonly title: string;
  /** Where these codes appear. */
  readonly met: string;
  readonly codes: Readonly<Record<string, ErrorDescription>>;
}

/** Every stable code of Behalf, grouped by where it appears. */
export const errorRegistries: readonly ErrorRegistry[] = Object.freeze([
  {
    title: 'Denials',
    met: '`errors[].extensions.code` of a response with data: one for each denied path.',
    codes: denialErrors,
  },
  {
    title: 'Refused requests',
    met: '`errors[].extensions.code` of a response of the gateway.',
    codes: gatewayErrors,
  },
  {
    title: 'Refused HTTP requests',
    met: "The gateway's server, before an operation is read: `errors[].extensions.code` at `/graphql`, `error` elsewhere. At `/graphql`, Apollo Server answers an unreadable operation itself (`BAD_REQUEST`, `GRAPHQL_PARSE_FAILED`, `GRAPHQL_VALIDATION_FAILED`, `PERSISTED_QUERY_NOT_FOUND` and others of its own).",
    codes: httpErrors,
  },
  {
    title: 'Readiness of a gateway',
    met: '`notReady` in the answer of `/health/ready`, and the result of `gateway.notReady()`.',
    codes: readinessCodes,
  },
  {
    title: 'Readiness of an authority or a consent subgraph',
    met: '`notReady` in the answer of `/health/ready`.',
    codes: authorityReadinessCodes,
  },
  {
    title: 'Schemas',
    met: 'At the start of a gateway or subgraph, and when composing.',
    codes: directiveErrors,
  },
  {
    title: 'Supergraphs',
    met: 'At the start of a gateway, and in its log at an update.',
    codes: supergraphErrors,
  },
  { title: 'Commands', met: 'The output of `behalf`.', codes: commandErrors },
  { title: 'Composition', met: '`behalf compose`.', codes: composeErrors },
  {
    title: 'Configuration',
    met: 'At the start of a gateway, and thrown by misused functions of `@behalf/gateway`.',
    codes: configurationErrors,
  },
  { title: 'Policy', met: 'Wherever `policy.yaml` is read.', codes: policyErrors },
  {
    title: 'Refused requests of a subgraph',
    met: '`errors[].extensions.code` of a response of a protected subgraph.',
    codes: requestErrors,
  },
  {
    title: 'Entities of a subgraph',
    met: '`errors[].extensions.code` of a response of a protected subgraph, at `_entities` and the index.',
    codes: entityErrors,
  },
  {
    title: 'Statistics of a subgraph',
    met: '`errors[].extensions.code` of a response of a protected subgraph, at a field with `@minimize(to: AGGREGATE)`.',
    codes: statisticErrors,
  },
  {
    title: 'Subscriptions of a subgraph',
    met: '`extensions.code` of the error that the stream ends with.',
    codes: subscriptionErrors,
  },
  {
    title: 'Transaction tokens',
    met: 'The reason in the log lines `TXN_TOKEN_REFUSED` of the subgraph and the gateway, and the argument of the subgraph’s option `onRefusedToken`. A client of the gateway never sees it.',
    codes: txnTokenRefusals,
  },
  {
    title: 'Passing a transaction on',
    met: '`PassOnError` of `exchangeTxnToken` and `txnTokenHeaders` in a subgraph.',
    codes: passOnErrors,
  },
  {
    title: 'Log of a subgraph',
    met: '`code` of a line, or the first argument of `log`: at most once a minute for each coordinate.',
    codes: subgraphLogCodes,
  },
  {
    title: 'Revocations in a process of its own',
    met: '`WatchOptionsError` of `watchRevocations`.',
    codes: revocationErrors,
  },
  { title: 'Log of the gateway', met: '`code` of a line.', codes: logCodes },
  { title: 'Log of the authority', met: '`code` of a line.', codes: authorityLogCodes },
  { title: 'Log of the store', met: '`code` of a line.', codes: storeLogCodes },
  { title: 'Audit', met: '`AuditError` of a sink.', codes: auditErrors },
  { title: 'Audit log', met: 'In the log of whatever signs the audit log.', codes: logErrors },
  {
    title: 'Verification',
    met: '`VerificationError`, and the findings of `behalf audit verify`.',
    codes: verificationErrors,
  },
  { title: 'Witness', met: 'At the start of `behalf witness`.', codes: witnessErrors },
  {
    title: 'Authority',
    met: 'At the start of the authority, and from `behalf rotate-keys`.',
    codes: authorityErrors,
  },
  {
    title: 'Refused requests of the authority',
    met: '`error` of an answer. Errors of the OAuth specifications keep their own lower-case codes, such as `invalid_request`.',
    codes: authorityRequestErrors,
  },
  { title: 'Applications', met: '`behalf clients`.', codes: applicationErrors },
  {
    title: 'Store',
    met: 'At the start, when the database stops by itself, and from every command that uses a database.',
    codes: storeErrors,
  },
]);

/** `docs/reference/errors.md`: Markdown, generated from the registries alone. */
export function errorReference(): string {
  const lines = [
    '# Error codes',
    '',
    'This page explains every error code. Codes are stable: programs may compare them. Messages are for people. `npm run docs`',
    'generates this page from the registries in the code, and a test fails if it is out of date. `npx behalf errors CODE` prints',
    'the same for one code.',
  ];
  for (const { title, met, codes } of errorRegistries) {
    const hasStatus = Object.values(codes).some(({ status }) => status !== undefined);
    const row = (...cells: string[]): string =>
      `| ${(hasStatus ? cells : cells.filter((_, i) => i !== 1)).join(' | ')} |`;
    lines.push(
      '',
      `## ${title}`,
      '',
      met,
      '',
      row('code', 'status', 'means', 'since'),
      row('---', '---', '---', '---'),
    );
    for (const [code, { description, since, status }] of Object.entries(codes)) {
      lines.push(
        row(
          `\`${code}\``,
          status === undefined ? '' : String(status),
          description.replaceAll('|', '\\|'),
          since,
        ),
      );
    }
  }
  return `${lines.join('\n')}\n`;
}
