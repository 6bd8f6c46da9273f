import { subgraphLogCodes } from '@behalf/directives/internal';
import type { SubgraphLogCode } from '@behalf/directives';
import { logCodes } from '@behalf/gateway/internal';
import type { LogCode } from '@behalf/gateway';
import { revocationLogCodes } from '@behalf/revocation/internal';
import { cell, MADE_BY, table } from './markdown.js';

const NOTHING = 'Nothing.';

/** What a reader of the log line should do. By type, so that a new code needs an entry. */
const gatewayActions: Readonly<Record<LogCode, string>> = {
  AUDIT_OFF: 'Set `audit.mode` and a destination, unless nobody needs to know what was read.',
  REVOCATION_OFF:
    'Configure a stream under `revocation.streams`. Without one, a token is valid until it expires.',
  AUTHENTICATION_FAILED:
    'Ignore single lines. If there are many with one reason, check clocks, the audience, and the keys that the issuer publishes.',
  ISSUER_KEYS_UNAVAILABLE:
    'Check whether the gateway reaches the issuer. With DISCOVERY the issuer has no metadata that names its key set: set `option`.',
  TOKEN_INTROSPECTION_UNAVAILABLE:
    'Check whether the gateway reaches the endpoint, and whether the issuer accepts its client secret or key.',
  INTERNAL_SERVER_ERROR: 'Report it as a defect, with the line.',
  REQUEST_HANDLING_FAILED: 'Report it as a defect, with the line.',
  WOULD_DENY:
    'Grant the application what it needs, or change the application, before the mode becomes `filter`.',
  WOULD_LIMIT: 'Give the client another rate class, or slow it down, before the mode becomes `filter`.',
  DETAIL_AT_STRICTEST:
    'Put fewer levels in force, by category instead of by field; give a renamed category its name back. Until then these callers get the least of everything.',
  DEPRECATED_SCOPE: 'Tell the owners of the application which scope replaces it.',
  DEPRECATED_KEY: 'Follow `advice`, before the release that it names.',
  SUPERGRAPH_UPDATED: NOTHING,
  SUPERGRAPH_REFUSED:
    'Correct the supergraph as the message says, and reload it. Until then the current one stays in service.',
  POLICY_UPDATED: NOTHING,
  UPDATE_REFUSED:
    'Correct what your program gives to `gateway.replace`, see [reloading](../how-to/gateway.md#reloading).',
  POLICY_REFUSED:
    'Correct the policy as the message says. The gateway rereads it when the file changes, or on SIGHUP.',
  IDENTITY_HEADER_UNSENDABLE:
    'Use another member of the delegation for the header, or have the issuer use plain identifiers.',
  IDENTITY_HEADER_FORWARDED:
    'State the header to this subgraph as well (`subgraphs.<name>.headers`), or make sure that its code does not trust it.',
  SUBGRAPH_UNPROTECTED:
    'Protect the subgraph with `@behalf/directives`. Until then only the gateway enforces its rules, so isolate it from others.',
  SUBGRAPH_MINIMIZES: 'Remove `minimizeAtGateway`: the library minimizes what nobody else sees before.',
  SUBGRAPH_VALUE_NOT_MINIMIZED:
    'Correct the value, the type of the field, or its `@minimize`; or make the subgraph answer `__typename`.',
  TXN_TOKEN_REFUSED:
    'See [a subgraph that refuses every token](../how-to/transaction-tokens.md#a-subgraph-that-refuses-every-token).',
  AUDIENCE_IS_NOT_RESOURCE:
    'Set the audience, here and at the issuer, to the address at which clients send operations: `externalUrl` and `/graphql`.',
  SUBGRAPH_UNKNOWN: 'Correct the name under `subgraphs`, or remove it.',
  RATE_STORE_UNAVAILABLE:
    'Restore the database or Valkey, or correct the address, if it refuses. Until then each gateway counts by itself.',
  RATE_STORE_AVAILABLE: NOTHING,
  REVOCATION_HOOK_FAILED: 'Correct the hook: it must return soon and not throw.',
  PLANNING_STOPPED:
    'Ignore single lines. If there are many, find the client that sends these operations; see `limits.planningMs`.',
  PLANNER_ENDED: 'Ignore single lines. If there are many, give the process more memory.',
  SCHEMA_LISTENER_FAILED: 'Correct the listener: `onSchemaLoadOrUpdate` of the server around the gateway.',
  SUBGRAPH_FACTS_MALFORMED:
    'Have the subgraph’s team check its version of `@behalf/directives`, and what answers at its address.',
  METRICS_FAILED: 'Report it as a defect, with the line.',
  SUBREQUEST_HTTP_ERROR: 'Check whether the subgraph is reachable; the line has the status.',
  SUBREQUEST_MALFORMED_RESPONSE: 'Check what answers at the subgraph’s address.',
  SUBGRAPH_ERROR: 'Have the subgraph’s team investigate; its own log has the message.',
  TXN_TOKEN_NOT_EXCHANGED: 'Check whether `propagation.passOn` names the workload and the audience.',
  AUDIT_GLASS_BROKEN:
    'Nothing, if it was you. Otherwise remove `audit.breakGlass` from the configuration, and restart the gateway.',
  AUDIT_REQUIRED_AGAIN: 'Remove `audit.breakGlass` from the configuration.',
  AUDIT_RECORD_LOST:
    'Check the database or the disk of the audit log. With `mode: required` nothing is lost.',
  AUDIT_UNAVAILABLE: 'Restore the database or the disk of the audit log: until then requests are refused.',
  POLICY_FAILED: 'Correct the policy evaluator that the line names.',
  POLICY_TIMEOUT: 'Make the policy evaluator faster, or raise `policies.timeoutMs`.',
  REVOKED: NOTHING,
  ACCESS_SUSPENDED: NOTHING,
  ACCESS_RESUMED: NOTHING,
  REVOCATION_STREAM_BROKEN: 'Restore the authority. After `revocation.maxStalenessMs` tokens are refused.',
  REVOCATIONS_LOST: 'Nothing: clients get new tokens. If it recurs, find out why the stream is interrupted.',
  SIGNING_KEY_ROTATED: NOTHING,
  SIGNING_KEY_REVOKED: 'See the [runbook for a leaked key](../how-to/keys.md).',
  SIGNING_KEY_NOT_ROTATED: 'Ignore single lines, because it is retried. If it recurs, report it as a defect.',
  ISSUER_KEYS_NOT_REFRESHED: 'Check whether the issuer’s key set is reachable.',
  APOLLO_WARNING: NOTHING,
  APOLLO_ERROR: 'Send the same request to a gateway on a developer’s machine, which shows more.',
  MESSAGE: 'Follow the message.',
};

const subgraphActions: Readonly<Record<SubgraphLogCode, string>> = {
  FOREIGN_ROWS: 'Restrict the resolver’s query to the subject’s rows (`delegation.subject`).',
  TXN_TOKEN_REFUSED:
    'If every token is refused: compare the subgraph’s `name`, `gateway.issuer` and `gateway.jwksUri` with the gateway’s configuration.',
  VALUE_NOT_MINIMIZED: 'Correct the value, the type of the field, or its `@minimize`.',
};

/** The log codes as Markdown, generated from the registries and the advice for each code. */
export function logReference(): string {
  return `${[
    '# Log codes',
    '',
    'This page tells operators what each line in a log means, and what to do. Gateway and subgraphs write one JSON object per',
    'line to standard error: `time`, `level`, `code`, and facts. A code is stable. Facts contain no token, value, argument or',
    'variable. If a subgraph denies everything, look for `TXN_TOKEN_REFUSED` in its log first.',
    MADE_BY,
    '',
    '## Gateway',
    '',
    `\`log\` of \`watchRevocations\` hears those about revocations: ${Object.keys(revocationLogCodes)
      .map((code) => `\`${code}\``)
      .join(', ')}.`,
    '',
    ...logTable(logCodes, gatewayActions),
    '',
    '## Subgraph',
    '',
    'A subgraph writes a line at most once a minute for each code and coordinate or reason. `count` says how often it happened since the previous line.',
    '',
    ...logTable(subgraphLogCodes, subgraphActions),
  ].join('\n')}\n`;
}

function logTable<Code extends string>(
  codes: Readonly<Record<Code, { readonly description: string; readonly since: string }>>,
  actions: Readonly<Record<Code, string>>,
): string[] {
  const rows = (Object.keys(codes) as Code[]).map((code) => [
    `\`${code}\``,
    cell(codes[code].description),
    cell(actions[code]),
    codes[code].since,
  ]);
  return table(['code', 'means', 'what to do', 'since'], rows);
}
