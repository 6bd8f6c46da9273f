import { randomUUID } from 'node:crypto';
import { isIP } from 'node:net';
import type { Delegation } from '@behalf/directives';
import type { AuditCaller, AuditOutcome, AuditRecord, AuditSink } from '@behalf/audit';
import type { AuditedAccess } from '@behalf/audit';
import type { Denial } from '../authorize/index.js';
import { RefusedError } from '../errors.js';
import type { Exchange } from '../exchange.js';
import type { GatewayLog } from '../log.js';
import type { PassOnOutcome } from '../propagate/pass-on.js';
import { hmac, recordedHash, recordedIdentifier, recordedOperationName } from './recorded-text.js';

export type AuditOptions =
  | { readonly mode: 'off' }
  | {
      /** `required`: no data leaves before its record is durable. `best-effort`: what is lost is counted and logged. */
      readonly mode: 'required' | 'best-effort';
      readonly sink: AuditSink;
      /** At least 32 bytes; subjects are named by a keyed pseudonym (HMAC-SHA-256). */
      readonly pseudonymKey: Uint8Array;
    };

/** More than any policy names. */
const MAX_PURPOSES = 100;
/** Of all entries. With the rest, a record stays below what the database takes of one (1 MiB). */
const MAX_FIELDS_BYTES = 768 * 1024;
/** Of an entry beside its coordinate and its rule. */
const ENTRY_BYTES = 200;
const CUT_RULE_LENGTH = 64;

/**
 * The last step: one record of the request, whatever became of it.
 *
 * @throws {RefusedError} 503 `AUDIT_UNAVAILABLE` in `required` mode when the record cannot be made durable.
 */
export async function sealExchange(
  exchange: Exchange,
  outcome: AuditOutcome,
  reason: string | undefined,
  options: AuditOptions,
  log: GatewayLog,
): Promise<void> {
  if (options.mode === 'off') return;
  await append(toRecord(exchange, outcome, reason, options.pseudonymKey), options, log);
}

/**
 * The record of a workload that asked for a transaction token to pass a transaction on with: under the transaction's own
 * identifier where it was given one.
 *
 * @throws {RefusedError} as {@link sealExchange}.
 */
export async function sealPassingOn(
  outcome: PassOnOutcome,
  options: AuditOptions,
  log: GatewayLog,
): Promise<void> {
  if (options.mode === 'off') return;
  const { workload, audience } = outcome;
  const { pseudonymKey: key } = options;
  const isGiven = outcome.token !== undefined;
  const record: AuditRecord = {
    transactionId: isGiven ? outcome.verified.transactionId : randomUUID(),
    time: Date.now(),
    outcome: isGiven ? 'passed-on' : workload === undefined ? 'authentication-failed' : 'refused',
    ...(isGiven ? {} : { reason: outcome.reason }),
    caller: isGiven ? callerOf(outcome.verified.delegation, key) : {},
    // What nobody vouches for is not put on record as it is.
    ...(workload === undefined || audience === undefined
      ? {}
      : {
          passedOn: {
            by: recordedIdentifier(workload, key),
            to: outcome.isNamedAudience ? recordedIdentifier(audience, key) : recordedHash(audience, key),
          },
        }),
    fields: [],
  };
  await append(record, options, log);
}

async function append(
  record: AuditRecord,
  options: Exclude<AuditOptions, { readonly mode: 'off' }>,
  log: GatewayLog,
): Promise<void> {
  // A sink of somebody else's may throw before there is a promise.
  const durable = (async () => options.sink.append(record))();
  if (options.mode === 'best-effort') {
    durable.catch(() => log.log('error', 'AUDIT_RECORD_LOST', { lost: options.sink.lost }));
    return;
  }
  try {
    await durable;
  } catch {
    log.log('error', 'AUDIT_UNAVAILABLE');
    throw new RefusedError({
      code: 'AUDIT_UNAVAILABLE',
      message: 'The access cannot be recorded at the moment, so it is not given',
      status: 503,
      headers: new Map([['retry-after', '5']]),
    });
  }
}

function toRecord(
  exchange: Exchange,
  outcome: AuditOutcome,
  reason: string | undefined,
  pseudonymKey: Uint8Array,
): AuditRecord {
  const { delegation, operation, authorization, incoming } = exchange;
  const source = sourceOf(incoming.remoteAddress);
  const name = operation?.operation.name?.value;
  const { unaccounted } = exchange.accounts;
  return {
    transactionId: exchange.transactionId,
    traceId: exchange.traceId,
    ...(exchange.traceLink === undefined ? {} : { traceLink: exchange.traceLink }),
    time: exchange.startedAtMs,
    outcome,
    ...(reason === undefined ? {} : { reason }),
    caller: delegation === undefined ? {} : callerOf(delegation, pseudonymKey),
    ...(name === undefined ? {} : { operationName: recordedOperationName(name, pseudonymKey) }),
    ...(operation === undefined
      ? {}
      : { operationHash: hmac(operation.queryHash, pseudonymKey).toString('hex') }),
    ...(source === undefined ? {} : { source }),
    fields: withinBounds([
      ...exchange.accounts.accesses,
      ...denialsOf(authorization?.denials ?? [], exchange.isShadow),
    ]),
    ...(unaccounted.length === 0 ? {} : { unaccounted }),
  };
}

/** What the gateway denied, each coordinate once. */
function denialsOf(denials: readonly Denial[], isShadow: boolean): readonly AuditedAccess[] {
  return denials.map(({ coordinate, rule, selections }) => ({
    coordinate,
    decision: isShadow ? 'would-deny' : 'denied',
    count: selections,
    rule,
  }));
}

/**
 * A client can select very many fields under long rules. A record that is too large is refused, so that they would keep out
 * of it by that: then the rules are cut, which the schema has whole.
 */
function withinBounds(fields: readonly AuditedAccess[]): readonly AuditedAccess[] {
  let bytes = 0;
  for (const { coordinate, rule = '' } of fields)
    bytes += Buffer.byteLength(coordinate) + Buffer.byteLength(rule) + ENTRY_BYTES;
  if (bytes <= MAX_FIELDS_BYTES) return fields;
  return fields.map((access) => {
    const { rule } = access;
    if (rule === undefined || rule.length <= CUT_RULE_LENGTH) return access;
    return { ...access, rule: `${rule.slice(0, CUT_RULE_LENGTH)}…` };
  });
}

/** Who asked. Of a service there is no person to be named, so no pseudonym of one. */
function callerOf(delegation: Delegation, pseudonymKey: Uint8Array): AuditCaller {
  const { subject, service, clientId, actor, consent } = delegation;
  return {
    ...(service === true
      ? { service }
      : { subjectPseudonym: hmac(subject, pseudonymKey).toString('base64url') }),
    clientId: recordedIdentifier(clientId, pseudonymKey),
    ...(actor === undefined ? {} : { actor: recordedIdentifier(actor.sub, pseudonymKey) }),
    ...(consent === undefined
      ? {}
      : {
          consentId: recordedIdentifier(consent.id, pseudonymKey),
          consentVersion: consent.version,
          purposes: consent.purposes
            .slice(0, MAX_PURPOSES)
            .map((purpose) => recordedIdentifier(purpose, pseudonymKey)),
        }),
  };
}

/** Undefined for what is not an address: a server that calls the gateway may hand on what a client sent. */
function sourceOf(remoteAddress: string | undefined): string | undefined {
  return remoteAddress === undefined || isIP(remoteAddress) === 0
    ? undefined
    : truncateAddress(remoteAddress);
}

/** Keeps the network, not the host: /24 of IPv4, /48 of IPv6. */
export function truncateAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
  const four = /^(\d+)\.(\d+)\.(\d+)\.\d+$/.exec(mapped);
  if (four !== null) return `${four.slice(1, 4).join('.')}.0/24`;
  const [head = '', tail] = mapped.split('::', 2);
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups =
    tail === undefined
      ? before
      : [...before, ...Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0'), ...after];
  return `${groups.slice(0, 3).join(':')}::/48`;
}
