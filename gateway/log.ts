import type { Clock } from '@behalf/directives';
import { aFunction, checkKeys, oneOf, systemClock, withMethods } from '@behalf/directives/internal';
import type { Check, ErrorDescription } from '@behalf/directives/internal';
import { revocationLogCodes } from '@behalf/revocation/internal';
import { ConfigurationError } from './errors.js';
import { printable } from './printable.js';

/** Every code of a line in the gateway's log. */
export const logCodes = Object.freeze({
  AUDIT_OFF: {
    description: 'At the start: no access is recorded. `turnOn` names the option that changes it.',
    since: '0.1.0',
  },
  REVOCATION_OFF: {
    description:
      'At the start: the gateway follows no revocation stream. `turnOn` names the option that changes it.',
    since: '0.1.0',
  },
  AUTHENTICATION_FAILED: {
    description:
      'A token was refused; the reason names the failed check. `cause` is the code of the failure behind it, such as the database of used proofs.',
    since: '0.1.0',
  },
  ISSUER_KEYS_UNAVAILABLE: {
    description:
      'The keys of an issuer cannot be found (DISCOVERY) or fetched, so its tokens are refused with 503. `option` names the configuration key of their address. At most one line a minute per issuer and reason, with the number of times.',
    since: '0.1.0',
  },
  TOKEN_INTROSPECTION_UNAVAILABLE: {
    description:
      "None of an issuer's tokens can be verified: it does not answer introspections, and its keys are unavailable too. Logged when `/health/ready` is asked. `option` names the configuration key of the endpoint. At most one line a minute per issuer and reason, with the number of times.",
    since: '0.1.0',
  },
  INTERNAL_SERVER_ERROR: {
    description: 'A request ended in an unexpected error: its class and stack frames, without the message.',
    since: '0.1.0',
  },
  REQUEST_HANDLING_FAILED: {
    description:
      'A request could not be answered at all: the class and stack frames of its error, without the message.',
    since: '0.1.0',
  },
  WOULD_DENY: { description: 'In shadow mode: what would have been denied.', since: '0.1.0' },
  WOULD_LIMIT: {
    description: 'In shadow mode: a request that would have exceeded its rate class.',
    since: '0.1.0',
  },
  DETAIL_AT_STRICTEST: {
    description:
      'Every level of everything is in force for delegations of a client: more levels are than a transaction token can carry, or a consent names a category that the policy does not have. Once per client.',
    since: '0.1.0',
  },
  DEPRECATED_SCOPE: {
    description:
      'A client used a deprecated scope: once per client and scope, and once more when it is no longer honoured.',
    since: '0.1.0',
  },
  DEPRECATED_KEY: {
    description: 'The configuration has a key that will be removed: once per key, at the start.',
    since: '0.1.0',
  },
  SUPERGRAPH_UPDATED: { description: 'A new supergraph is in service.', since: '0.1.0' },
  SUPERGRAPH_REFUSED: {
    description: 'A new supergraph was refused; the current one stays.',
    since: '0.1.0',
  },
  POLICY_UPDATED: { description: 'A new policy, or new evaluators, are in force.', since: '0.1.0' },
  POLICY_REFUSED: {
    description: 'A new policy, or new evaluators, were refused; the current ones stay in force.',
    since: '0.1.0',
  },
  UPDATE_REFUSED: {
    description:
      '`gateway.replace` was given something that is not an update, or a function that failed; the reason names the key. Or the gateway is stopped. Everything stays.',
    since: '0.1.0',
  },
  PLANNING_STOPPED: {
    description: 'An operation took longer to plan than allowed, so its worker was ended and replaced.',
    since: '0.1.0',
  },
  PLANNER_ENDED: {
    description: 'The planning worker ended by itself, and is replaced.',
    since: '0.1.0',
  },
  SCHEMA_LISTENER_FAILED: { description: 'A listener for schema updates threw.', since: '0.1.0' },
  SUBGRAPH_FACTS_MALFORMED: {
    description:
      "A subgraph's facts were rejected, as a whole (0 entries) or in this many entries; the record names the subgraph.",
    since: '0.1.0',
  },
  METRICS_FAILED: {
    description: 'The metrics of a request could not be counted; its record was made before.',
    since: '0.1.0',
  },
  SUBREQUEST_HTTP_ERROR: {
    description: 'A subgraph could not be reached, or answered with an HTTP error and no errors of GraphQL.',
    since: '0.1.0',
  },
  IDENTITY_HEADER_UNSENDABLE: {
    description:
      'A subgraph was not called, because a header cannot carry what it should state of the delegation.',
    since: '0.1.0',
  },
  IDENTITY_HEADER_FORWARDED: {
    description:
      'At the start: a subgraph gets a header from the client (`forwardHeaders`) that states an identity at other subgraphs (`headers`). If this subgraph trusts it as well, any client can be anybody there.',
    since: '0.1.0',
  },
  SUBGRAPH_UNPROTECTED: {
    description:
      'A subgraph does not enforce rules itself: at the start, there are none for its fields (NO_RULES); or it returned no facts for a request with a transaction token (NO_ACCOUNT), because it does not use the library, or its server does not send what `finishProtectedRequest` returns. One line per subgraph, unless it gets rules later.',
    since: '0.1.0',
  },
  SUBGRAPH_MINIMIZES: {
    description:
      'A subgraph with `minimizeAtGateway` returned the facts of the library: it minimizes values itself, so the gateway did not. One line per subgraph.',
    since: '0.1.0',
  },
  SUBGRAPH_VALUE_NOT_MINIMIZED: {
    description:
      "The gateway could not minimize a value of a subgraph: the field's type or its `@minimize` cannot read it, or its object does not say of which type it is. It became null. `at` is the field, or the type of the object's position. At most once a minute for each.",
    since: '0.1.0',
  },
  TXN_TOKEN_REFUSED: {
    description:
      "A protected subgraph refused the gateway's transaction token, or did not get it, so it took the caller for anonymous; the reason is its code. If it refuses every token, compare `name` and `gateway` in the subgraph with its name in the supergraph, `propagation.issuer` and the address of the gateway's keys. At most once a minute per subgraph and reason, with the number since the line before.",
    since: '0.1.0',
  },
  AUDIENCE_IS_NOT_RESOURCE: {
    description:
      "An issuer's audience is another address than the resource in the gateway's metadata (RFC 9728), so a client that discovers everything cannot get a token from it.",
    since: '0.1.0',
  },
  SUBGRAPH_UNKNOWN: {
    description:
      'The configuration has options for a subgraph that the supergraph does not have. `meant` is a subgraph with almost this name.',
    since: '0.1.0',
  },
  SUBREQUEST_MALFORMED_RESPONSE: {
    description: "A subgraph's response is not a GraphQL response.",
    since: '0.1.0',
  },
  SUBGRAPH_ERROR: {
    description:
      'A subgraph reported an error: its code, and the path in names of the schema. At most 20 lines per request, then one with the number of the others.',
    since: '0.1.0',
  },
  TXN_TOKEN_NOT_EXCHANGED: {
    description: 'A workload requested a transaction token for another audience, and was refused.',
    since: '0.1.0',
  },
  AUDIT_RECORD_LOST: {
    description: 'A record was lost; the number of lost ones so far, and why, as a code.',
    since: '0.1.0',
  },
  AUDIT_GLASS_BROKEN: {
    description:
      'At the start: `audit.breakGlass` lets data leave without a durable record until this time. Who decided it, and why.',
    since: '0.1.0',
  },
  AUDIT_REQUIRED_AGAIN: {
    description: 'The time of `audit.breakGlass` is over: no data leaves without a durable record.',
    since: '0.1.0',
  },
  AUDIT_UNAVAILABLE: {
    description:
      'A record could not be stored, so its data was not returned. `reason` has a code: `AUDIT_LOG_BROKEN` if records that were there are gone, else the system’s or the database’s. Once a minute for each.',
    since: '0.1.0',
  },
  RATE_STORE_UNAVAILABLE: {
    description:
      'The rate limit store does not respond in time, or refuses: until it responds, this gateway counts by itself. The reason is a code of the system, of PostgreSQL (SQLSTATE) or of Redis (WRONGPASS, NOAUTH, NO_DATABASE). Once per outage.',
    since: '0.1.0',
  },
  RATE_STORE_AVAILABLE: { description: 'The rate limit store responds again.', since: '0.1.0' },
  POLICY_FAILED: { description: 'A policy threw, and so denies.', since: '0.1.0' },
  POLICY_TIMEOUT: { description: 'A policy timed out, and so denies.', since: '0.1.0' },
  ...revocationLogCodes,
  SIGNING_KEY_NOT_ROTATED: {
    description: "The gateway's own key could not be replaced; the previous one stays in use.",
    since: '0.1.0',
  },
  APOLLO_WARNING: {
    description: 'Apollo Server warned; its text may quote a client, so it is not repeated.',
    since: '0.1.0',
  },
  APOLLO_ERROR: {
    description: 'Apollo Server reported an error; its text may quote a client, so it is not repeated.',
    since: '0.1.0',
  },
  MESSAGE: { description: 'A plain text message from another part of the program.', since: '0.1.0' },
} satisfies Record<string, ErrorDescription>);

/** Every code that a {@link GatewayLog} receives. The codes are stable. */
export type LogCode = keyof typeof logCodes;

/** How much a line of the {@link GatewayLog} matters. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * The gateway's log: each event has a stable code, and facts without tokens, values, arguments or variables.
 */
export interface GatewayLog {
  log(level: LogLevel, code: LogCode, facts?: Readonly<Record<string, string | number | boolean>>): void;
}

/** Wraps a log so that its failures cannot fail what is logged, such as a request or a record. */
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
 *   issuers: [{ issuer: 'https://login.example', audience: 'https://api.example/graphql' }],
 *   propagation: { issuer: 'https://gateway.example' },
 *   log: silentLog,
 * };
 * ```
 */
export const silentLog: GatewayLog = { log: () => undefined };

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

const ARGUMENTS: Readonly<Record<string, Check>> = {
  level: oneOf(...ORDER),
  write: aFunction,
  clock: withMethods('a clock', ['now']),
};

/** With an unknown level, everything would be logged. @throws {ConfigurationError} */
function checkArguments(given: Readonly<Record<string, unknown>>): void {
  const refuse = (name: string, problem: string): never => {
    throw new ConfigurationError(name, problem);
  };
  checkKeys('', given, ARGUMENTS, { required: [], refuse });
}

/**
 * Writes one JSON object per line that is safe on a terminal: JSON alone keeps C1 controls and text direction marks.
 *
 * @param least the lowest level that is written
 * @throws {ConfigurationError} for a level that is not one
 *
 * @example
 * ```ts
 * import { jsonLog, protectGateway } from '@behalf/gateway';
 * import { readFileSync } from 'node:fs';
 *
 * const gateway = protectGateway(
 *   { supergraphSdl: readFileSync('supergraph.graphql', 'utf8') },
 *   {
 *     issuers: [{ issuer: 'https://login.example', audience: 'https://api.example/graphql' }],
 *     propagation: { issuer: 'https://gateway.example' },
 *     log: jsonLog('warn', (line) => process.stdout.write(line)),
 *   },
 * );
 * ```
 */
export function jsonLog(
  least: LogLevel = 'info',
  write: (line: string) => unknown = (line) => process.stderr.write(line),
  clock: Pick<Clock, 'now'> = systemClock,
): GatewayLog {
  checkArguments({ level: least, write, clock });
  return {
    log(level, code, facts = {}) {
      if (ORDER.indexOf(level) < ORDER.indexOf(least)) return;
      const time = new Date(clock.now()).toISOString();
      write(`${printable(JSON.stringify({ time, level, code, ...facts }))}\n`);
    },
  };
}
