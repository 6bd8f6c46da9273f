import { subgraphLogCodes } from '@behalf/directives/internal';
import type { SubgraphLogCode } from '@behalf/directives';
import { logCodes } from '@behalf/gateway/internal';
import type { LogCode } from '@behalf/gateway';
import { cell, MADE_BY, table } from './markdown.js';

const NOTHING = 'Nothing.';

/** What a reader of the log line should do. By type, so that a new code needs an entry. */
const gatewayActions: Readonly<Record<LogCode, string>> = {
  AUDIT_OFF: 'Set `audit.mode` and where records go, unless nobody needs to know what was read.',
  REVOCATION_OFF: 'Name a stream under `revocation.streams`. Without one, a token is good until it expires.',
  REQUEST_FAILED: 'Look the reason up in the [error codes](errors.md).',
  AUTHENTICATION_FAILED:
    'Nothing for single lines. Many with one reason: check clocks, the audience, and the keys that the issuer publishes.',
  INTERNAL_SERVER_ERROR: 'Report it as a defect, with the line.',
  REQUEST_HANDLING_FAILED: 'Report it as a defect, with the line.',
  WOULD_DENY:
    'Grant the application what it needs, or change the application, before the mode becomes `filter`.',
  WOULD_LIMIT: 'Give the client another rate class, or slow it down, before the mode becomes `filter`.',
  DEPRECATED_SCOPE: 'Tell the owners of the application which scope replaces it.',
  DEPRECATED_KEY: 'Use what `advice` names, before the release that it names.',
  SUPERGRAPH_UPDATED: NOTHING,
  SUPERGRAPH_REFUSED:
    'Correct the supergraph as the message says, and have it read again. Until then the old one is served.',
  POLICY_UPDATED: NOTHING,
  POLICY_REFUSED:
    'Correct the policy as the message says. The gateway reads it again when the file changes, or on SIGHUP.',
  IDENTITY_HEADER_UNSENDABLE:
    'Take another member of the delegation for the header, or have the issuer use plain identifiers.',
  SUBGRAPH_UNPROTECTED:
    'Protect the subgraph with `@behalf/directives`. Until then only the gateway enforces its rules, so let nobody else reach it.',
  SUBGRAPH_UNKNOWN: 'Correct the name under `subgraphs`, or remove it.',
  RATE_STORE_UNAVAILABLE: 'Restore the database or Valkey. Until then each gateway counts for itself.',
  RATE_STORE_AVAILABLE: NOTHING,
  REVOCATION_HOOK_FAILED: 'Correct the hook: it has to return soon and must not throw.',
  PLANNING_STOPPED:
    'Nothing for single lines. Many: find the client that sends these operations; see `limits.planningMs`.',
  PLANNER_ENDED: 'Nothing for single lines. Many: give the process more memory.',
  SCHEMA_LISTENER_FAILED: 'Correct the listener: `onSchemaLoadOrUpdate` of the server around the gateway.',
  SUBGRAPH_FACTS_MALFORMED:
    'Have the subgraph’s team look at it: its version of `@behalf/directives`, or who answers at its address.',
  METRICS_FAILED: 'Report it as a defect, with the line.',
  SUBREQUEST_HTTP_ERROR: 'See whether the subgraph is up and reachable; the line has the status.',
  SUBREQUEST_MALFORMED_RESPONSE: 'See what answers at the address of the subgraph.',
  SUBGRAPH_ERROR: 'Have the subgraph’s team look at it; its own log has the message.',
  TXN_TOKEN_NOT_EXCHANGED: 'See whether `propagation.passOn` names the workload and the audience.',
  AUDIT_RECORD_LOST:
    'See whether the database or the disk of the audit log is up. With `mode: required` nothing is lost.',
  AUDIT_UNAVAILABLE: 'Bring the database or the disk of the audit log back: until then requests are refused.',
  POLICY_FAILED: 'Correct the policy evaluator that the line names.',
  POLICY_TIMEOUT: 'Make the policy evaluator faster, or raise `policies.timeoutMs`.',
  REVOKED: NOTHING,
  ACCESS_SUSPENDED: NOTHING,
  ACCESS_RESUMED: NOTHING,
  REVOCATION_STREAM_BROKEN:
    'Bring the authority back. After `revocation.maxStalenessMs` requests with a token are refused.',
  REVOCATIONS_LOST: 'Nothing: clients get new tokens. Often: see why the stream is interrupted.',
  SIGNING_KEY_ROTATED: NOTHING,
  SIGNING_KEY_REVOKED: 'See the [runbook for a leaked key](../how-to/keys.md).',
  SIGNING_KEY_NOT_ROTATED: 'Nothing for single lines: it is tried again. Often: report it as a defect.',
  ISSUER_KEYS_NOT_REFRESHED: 'See whether the issuer’s key set can be reached.',
  APOLLO_WARNING: NOTHING,
  APOLLO_ERROR: 'Have the same request sent to a gateway on a developer’s machine, where it shows more.',
  MESSAGE: 'What the message says.',
};

const subgraphActions: Readonly<Record<SubgraphLogCode, string>> = {
  FOREIGN_ROWS: 'Have the resolver’s query ask for rows of the subject alone (`delegation.subject`).',
  VALUE_NOT_MINIMIZED: 'Correct the value, the type of the field, or its `@minimize`.',
};

/** The log codes as Markdown, generated from the registries and the advice for each code. */
export function logReference(): string {
  return `${[
    '# Log codes',
    '',
    'Gateway and subgraphs write one JSON object per line to standard error: `time`, `level`, `code`, and facts. A code is',
    'stable; facts hold no token, value, argument or variable.',
    MADE_BY,
    '',
    '## Gateway',
    '',
    ...logTable(logCodes, gatewayActions),
    '',
    '## Subgraph',
    '',
    'At most once a minute for each code and coordinate; `count` says how often since the line before.',
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
