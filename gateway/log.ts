import type { ErrorDescription } from '@behalf/directives/internal';
import { printable } from './printable.js';

/** Every code of a line in the gateway's log. */
export const logCodes = Object.freeze({
  AUDIT_OFF: {
    description: 'At the start: no access is put on record. `turnOn` has the option that changes it.',
    since: '0.1.0',
  },
  REVOCATION_OFF: {
    description:
      'At the start: the gateway follows no stream of revocations. `turnOn` has the option that changes it.',
    since: '0.1.0',
  },
  REQUEST_FAILED: {
    description: 'A request could not be carried out; the reason is a code.',
    since: '0.1.0',
  },
  AUTHENTICATION_FAILED: {
    description: 'A token was refused; the reason tells which check it was.',
    since: '0.1.0',
  },
  INTERNAL_SERVER_ERROR: {
    description:
      'A request ended in an unforeseen error: its class, and where it was thrown. The message is left out.',
    since: '0.1.0',
  },
  REQUEST_HANDLING_FAILED: { description: 'A request could not be answered at all.', since: '0.1.0' },
  WOULD_DENY: { description: 'In shadow mode: what would have been denied.', since: '0.1.0' },
  WOULD_LIMIT: { description: 'In shadow mode: what would have been one request too many.', since: '0.1.0' },
  DEPRECATED_SCOPE: {
    description:
      'A client came with a deprecated scope: once for a client and scope, and once more when it is not honoured any longer.',
    since: '0.1.0',
  },
  DEPRECATED_KEY: {
    description: 'The configuration has a key that will be removed: once for each, at the start.',
    since: '0.1.0',
  },
  SUPERGRAPH_UPDATED: { description: 'A new supergraph is served.', since: '0.1.0' },
  SUPERGRAPH_REFUSED: {
    description: 'A new supergraph must not be served; the one before stays.',
    since: '0.1.0',
  },
  POLICY_UPDATED: { description: 'A new policy, or new evaluators, are in force.', since: '0.1.0' },
  POLICY_REFUSED: {
    description: 'A new policy, or new evaluators, must not be used; those before stay in force.',
    since: '0.1.0',
  },
  PLANNING_STOPPED: {
    description: 'An operation took more work to plan than is allowed, so its worker was ended and replaced.',
    since: '0.1.0',
  },
  PLANNER_ENDED: {
    description: 'The worker that plans operations ended by itself; another one takes its place.',
    since: '0.1.0',
  },
  SCHEMA_LISTENER_FAILED: { description: 'A listener for schema updates threw.', since: '0.1.0' },
  SUBGRAPH_FACTS_MALFORMED: {
    description:
      "A subgraph's account of its accesses is not believed, as a whole (0 entries) or in so many entries; the record names the subgraph.",
    since: '0.1.0',
  },
  METRICS_FAILED: {
    description: 'A request could not be counted; its record was made first.',
    since: '0.1.0',
  },
  SUBREQUEST_HTTP_ERROR: {
    description: 'A subgraph could not be reached, or answered with an HTTP error.',
    since: '0.1.0',
  },
  IDENTITY_HEADER_UNSENDABLE: {
    description:
      'A subgraph was not asked: what a header should state of the delegation cannot be sent in a header.',
    since: '0.1.0',
  },
  SUBGRAPH_UNPROTECTED: {
    description:
      'A subgraph does not enforce rules itself: none is stated for what it resolves (NO_RULES), or it gave no account of a request with a transaction token (NO_ACCOUNT). Once for each subgraph and reason.',
    since: '0.1.0',
  },
  SUBGRAPH_UNKNOWN: {
    description: 'The configuration has options for a subgraph that the supergraph does not have.',
    since: '0.1.0',
  },
  SUBREQUEST_MALFORMED_RESPONSE: {
    description: "A subgraph's answer is no GraphQL response.",
    since: '0.1.0',
  },
  SUBGRAPH_ERROR: {
    description:
      'A subgraph reported an error: its code, and the path in names of the schema. At most 20 lines for a request, then one with the number of the others.',
    since: '0.1.0',
  },
  TXN_TOKEN_NOT_EXCHANGED: {
    description:
      'A workload asked for a transaction token to pass a transaction on with, and was given none.',
    since: '0.1.0',
  },
  AUDIT_RECORD_LOST: {
    description: 'A record could not be kept; the number of lost ones so far.',
    since: '0.1.0',
  },
  AUDIT_UNAVAILABLE: {
    description: 'A record could not be made durable, so its data did not leave.',
    since: '0.1.0',
  },
  RATE_STORE_UNAVAILABLE: {
    description:
      'The store of rate limits does not answer in time: until it does, this gateway counts by itself. Once for each outage.',
    since: '0.1.0',
  },
  RATE_STORE_AVAILABLE: { description: 'The store of rate limits answers again.', since: '0.1.0' },
  POLICY_FAILED: { description: 'A policy threw, so it denies.', since: '0.1.0' },
  POLICY_TIMEOUT: { description: 'A policy did not answer in time, so it denies.', since: '0.1.0' },
  REVOKED: { description: 'A revocation arrived.', since: '0.1.0' },
  ACCESS_SUSPENDED: {
    description: 'A client, a scope or everything of an issuer is stopped until it is resumed.',
    since: '0.1.0',
  },
  ACCESS_RESUMED: { description: 'What was stopped is good again.', since: '0.1.0' },
  REVOCATION_HOOK_FAILED: {
    description:
      "A hook of the program's own threw, took too long, or was overtaken by announcements (DROPPED); the number of failures so far. At most one line in ten seconds.",
    since: '0.1.0',
  },
  REVOCATION_STREAM_BROKEN: { description: 'The stream of revocations cannot be read.', since: '0.1.0' },
  REVOCATIONS_LOST: {
    description:
      "An issuer's stream was interrupted and may have lost events: what was issued up to now is refused.",
    since: '0.1.0',
  },
  SIGNING_KEY_ROTATED: { description: 'An issuer announced the key that signs next.', since: '0.1.0' },
  SIGNING_KEY_REVOKED: {
    description: 'An issuer announced that a key has leaked: what it signed is refused.',
    since: '0.1.0',
  },
  SIGNING_KEY_NOT_ROTATED: {
    description: "The gateway's own key could not be replaced; the one before goes on.",
    since: '0.1.0',
  },
  ISSUER_KEYS_NOT_REFRESHED: {
    description:
      "An issuer's keys could not be fetched again after its announcement; an unknown key will cause it.",
    since: '0.1.0',
  },
  APOLLO_WARNING: {
    description: 'Apollo Server warned; its words may quote what a client sent, so they are not repeated.',
    since: '0.1.0',
  },
  APOLLO_ERROR: {
    description:
      'Apollo Server reported an error; its words may quote what a client sent, so they are not repeated.',
    since: '0.1.0',
  },
  MESSAGE: { description: 'What another part of the program says in words.', since: '0.1.0' },
} satisfies Record<string, ErrorDescription>);

/** Every code that a {@link GatewayLog} hears. The codes are stable. */
export type LogCode = keyof typeof logCodes;

/** How much a line of the {@link GatewayLog} matters. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * The gateway's log: each event has a stable code, and facts without tokens, values, arguments or variables.
 */
export interface GatewayLog {
  log(level: LogLevel, code: LogCode, facts?: Readonly<Record<string, string | number | boolean>>): void;
}

/** A log whose own failure is not the failure of what is logged: a request that is served, or a record that is made. */
export function unfailingLog(log: GatewayLog): GatewayLog {
  return {
    log(level, code, facts) {
      try {
        log.log(level, code, facts);
      } catch {
        process.emitWarning('the log of the gateway failed', { code: 'BEHALF_LOG' });
      }
    },
  };
}

/**
 * A log that writes nothing.
 *
 * @example
 * ```ts
 * import { type ProtectionOptions, silentLog } from '@behalf/gateway';
 *
 * export const options: ProtectionOptions = {
 *   issuers: [{ issuer: 'https://login.example', audience: 'https://api.example' }],
 *   propagation: { issuer: 'https://gateway.example' },
 *   log: silentLog,
 * };
 * ```
 */
export const silentLog: GatewayLog = { log: () => undefined };

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/**
 * Writes one JSON object per line, which can be shown on a terminal: JSON alone leaves C1 controls and text direction as they are.
 *
 * @param least The lowest level that is written. Default `info`.
 * @param write Takes each line, with its line feed. Default: stderr.
 *
 * @example
 * ```ts
 * import { jsonLog, protectGateway } from '@behalf/gateway';
 * import { readFileSync } from 'node:fs';
 *
 * const gateway = protectGateway(
 *   { supergraphSdl: readFileSync('supergraph.graphql', 'utf8') },
 *   {
 *     issuers: [{ issuer: 'https://login.example', audience: 'https://api.example' }],
 *     propagation: { issuer: 'https://gateway.example' },
 *     log: jsonLog('warn', (line) => process.stdout.write(line)),
 *   },
 * );
 * ```
 */
export function jsonLog(
  least: LogLevel = 'info',
  write: (line: string) => unknown = (line) => process.stderr.write(line),
): GatewayLog {
  return {
    log(level, code, facts = {}) {
      if (ORDER.indexOf(level) < ORDER.indexOf(least)) return;
      write(`${printable(JSON.stringify({ time: new Date().toISOString(), level, code, ...facts }))}\n`);
    },
  };
}
