import { randomUUID } from 'node:crypto';
import { isIP } from 'node:net';
import { withoutUndefined } from '@behalf/directives/internal';
import type { Delegation } from '@behalf/directives';
import type { AuditCaller, AuditedAccess, AuditOutcome, AuditRecord } from '@behalf/audit';
import type { Denial } from '../authorize/index.js';
import type { TxnTokenExchangeOutcome } from '../propagate/txn-token-exchange.js';
import type { Stage } from '../stages/stages.js';
import { hmac, recordedHash, recordedIdentifier, recordedOperationName } from './recorded-text.js';

/** More than any policy names. */
const MAX_PURPOSES = 100;
/** For all entries together, so that a record stays below the database's limit (1 MiB). */
const MAX_FIELDS_BYTES = 768 * 1024;
/** Per entry, besides its coordinate and rule. */
const ENTRY_BYTES = 200;
const CUT_RULE_LENGTH = 64;

/** The audit record of one operation, from what is known at its last stage. */
export function requestRecord(
  stage: Stage,
  outcome: AuditOutcome,
  reason: string | undefined,
  pseudonymKey: Uint8Array,
): AuditRecord {
  const { exchange, delegation, operation, authorization, isShadow = false, propagation } = stage;
  const source = sourceOf(exchange.incoming.remoteAddress);
  const name = operation?.operation.name?.value;
  const accesses = propagation?.accounts.accesses ?? [];
  const unaccounted = propagation?.accounts.unaccounted ?? [];
  return withoutUndefined({
    transactionId: exchange.transactionId,
    traceId: exchange.traceId,
    traceLink: exchange.traceLink,
    time: exchange.startedAtMs,
    outcome,
    reason,
    caller: delegation === undefined ? {} : callerOf(delegation, pseudonymKey),
    operationName: name === undefined ? undefined : recordedOperationName(name, pseudonymKey),
    operationHash:
      operation === undefined ? undefined : hmac(operation.queryHash, pseudonymKey).toString('hex'),
    source,
    fields: withinBounds([...accesses, ...denialsOf(authorization?.denials ?? [], isShadow)]),
    unaccounted: unaccounted.length === 0 ? undefined : unaccounted,
  });
}

/** The audit record of a workload's token exchange: under the transaction's own identifier if it was valid. */
export function tokenExchangeRecord(
  outcome: TxnTokenExchangeOutcome,
  key: Uint8Array,
  time: number,
): AuditRecord {
  const { workload, audience } = outcome;
  const isGiven = outcome.token !== undefined;
  const isKnown = workload !== undefined && audience !== undefined;
  return withoutUndefined({
    transactionId: isGiven ? outcome.verified.transactionId : randomUUID(),
    time,
    outcome: isGiven ? 'passed-on' : workload === undefined ? 'authentication-failed' : 'refused',
    reason: isGiven ? undefined : outcome.reason,
    caller: isGiven ? callerOf(outcome.verified.delegation, key) : {},
    // An unverified name is recorded as its hash.
    passedOn: isKnown
      ? {
          by: recordedIdentifier(workload, key),
          to: outcome.isNamedAudience ? recordedIdentifier(audience, key) : recordedHash(audience, key),
        }
      : undefined,
    fields: [],
  });
}

/** The gateway's own denials, each coordinate once. */
function denialsOf(denials: readonly Denial[], isShadow: boolean): readonly AuditedAccess[] {
  return denials.map(({ coordinate, rule, selections }) => ({
    coordinate,
    decision: isShadow ? 'would-deny' : 'denied',
    count: selections,
    rule,
  }));
}

/**
 * A client can select very many fields under long rules, and the log would refuse an oversized record. Then the rules are
 * truncated; the schema has them whole.
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

/** The caller. A service has no person behind it, and so no pseudonym. */
function callerOf(delegation: Delegation, pseudonymKey: Uint8Array): AuditCaller {
  const { subject, service, clientId, actor, consent } = delegation;
  const isService = service === true;
  return withoutUndefined({
    service: isService ? service : undefined,
    subjectPseudonym: isService ? undefined : hmac(subject, pseudonymKey).toString('base64url'),
    clientId: recordedIdentifier(clientId, pseudonymKey),
    actor: actor === undefined ? undefined : recordedIdentifier(actor.sub, pseudonymKey),
    consentId: consent === undefined ? undefined : recordedIdentifier(consent.id, pseudonymKey),
    consentVersion: consent?.version,
    purposes: consent?.purposes
      .slice(0, MAX_PURPOSES)
      .map((purpose) => recordedIdentifier(purpose, pseudonymKey)),
  });
}

/** Undefined for anything but an address: a server around the gateway may pass on what a client sent. */
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
