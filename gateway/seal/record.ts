import { randomUUID } from 'node:crypto';
import { withoutUndefined } from '@behalf/directives/internal';
import { truncateAddress } from '@behalf/http/internal';
import type { Delegation } from '@behalf/directives';
import type { AuditCaller, AuditedAccess, AuditOutcome, AuditRecord, SubjectPseudonyms } from '@behalf/audit';
import type { Denial } from '../authorize/index.js';
import type { TxnTokenExchangeOutcome } from '../propagate/txn-token-exchange.js';
import type { Stage } from '../stages/stages.js';
import { hmac, recordedHash, recordedIdentifier, recordedOperationName } from './recorded-text.js';

/** More than any policy names. */
const MAX_PURPOSES = 100;
const MAX_SCOPES = 100;
/** For all entries together, so that a record stays below the database's limit (1 MiB). */
const MAX_FIELDS_BYTES = 768 * 1024;
/** Per entry, besides its coordinate and rule. */
const ENTRY_BYTES = 200;
const CUT_RULE_LENGTH = 64;

/** What hides names in a record. */
export interface RecordNames {
  /** Keys the hashes of names that are not recorded unchanged. */
  readonly key: Uint8Array;
  /** Of every subject that the record is about. */
  readonly pseudonyms: SubjectPseudonyms;
  /** Who answers for the data of each subgraph. */
  readonly owners: ReadonlyMap<string, string>;
}

/** The subjects that the record of an operation is about. */
export function subjectsOf({ delegation, propagation }: Stage): readonly string[] {
  return [...new Set([...personOf(delegation), ...(propagation?.accounts.subjects ?? [])])];
}

/** The audit record of one operation, from what is known at its last stage. */
export function requestRecord(
  stage: Stage,
  outcome: AuditOutcome,
  reason: string | undefined,
  names: RecordNames,
): AuditRecord {
  const { key, pseudonyms } = names;
  const {
    exchange,
    delegation,
    operation,
    authorization,
    isShadow = false,
    namedClient,
    propagation,
  } = stage;
  const source = truncateAddress(exchange.incoming.remoteAddress);
  const name = operation?.operation.name?.value;
  const accesses = propagation?.accounts.accesses ?? [];
  const subjects = (propagation?.accounts.subjects ?? []).flatMap((name) => pseudonyms.get(name) ?? []);
  const unaccounted = propagation?.accounts.unaccounted ?? [];
  const fields = withinBounds([...accesses, ...denialsOf(authorization?.denials ?? [], isShadow)]);
  return withoutUndefined({
    transactionId: exchange.transactionId,
    traceId: exchange.traceId,
    traceLink: exchange.traceLink,
    time: exchange.startedAtMs,
    outcome,
    reason,
    caller: delegation === undefined ? refusedCaller(namedClient, key) : callerOf(delegation, names),
    operationName: name === undefined ? undefined : recordedOperationName(name, key),
    operationHash: operation === undefined ? undefined : hmac(operation.queryHash, key).toString('hex'),
    source,
    policyVersion: stage.rules?.version,
    supergraphVersion: stage.supergraph,
    fields,
    owners: ownersOf([...fields.flatMap(({ subgraph }) => subgraph ?? []), ...unaccounted], names.owners),
    subjects: subjects.length === 0 ? undefined : subjects.sort(),
    moreSubjects: propagation?.accounts.hasMoreSubjects === true ? true : undefined,
    unaccounted: unaccounted.length === 0 ? undefined : unaccounted,
  });
}

/** The record of a mutation before it runs: what it will execute. What the gateway denies is in the record afterwards. */
export function intentRecord(stage: Stage, mutates: readonly string[], names: RecordNames): AuditRecord {
  return { ...requestRecord(stage, 'intended', undefined, names), fields: [], mutates };
}

/** The subjects that the record of a token exchange is about. */
export function subjectsOfExchange(outcome: TxnTokenExchangeOutcome): readonly string[] {
  return outcome.token === undefined ? [] : personOf(outcome.verified.delegation);
}

/** The audit record of a workload's token exchange: under the transaction's own identifier if it was valid. */
export function tokenExchangeRecord(
  outcome: TxnTokenExchangeOutcome,
  names: RecordNames,
  time: number,
): AuditRecord {
  const { key } = names;
  const { workload, audience } = outcome;
  const isGiven = outcome.token !== undefined;
  const isKnown = workload !== undefined && audience !== undefined;
  return withoutUndefined({
    transactionId: isGiven ? outcome.verified.transactionId : randomUUID(),
    time,
    outcome: isGiven ? 'passed-on' : workload === undefined ? 'authentication-failed' : 'refused',
    reason: isGiven ? undefined : outcome.reason,
    caller: isGiven ? callerOf(outcome.verified.delegation, names) : {},
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

/** The gateway's own denials, each coordinate once for each reason. */
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

/** Of the caller of a refused token, only the client is named, if a valid signature named it. */
function refusedCaller(namedClient: string | undefined, key: Uint8Array): AuditCaller {
  return namedClient === undefined ? {} : { clientId: recordedIdentifier(namedClient, key) };
}

function ownersOf(
  subgraphs: readonly string[],
  owners: ReadonlyMap<string, string>,
): Readonly<Record<string, string>> | undefined {
  const known = [...new Set(subgraphs)].flatMap((subgraph) => {
    const owner = owners.get(subgraph);
    return owner === undefined ? [] : [[subgraph, owner] as const];
  });
  return known.length === 0 ? undefined : Object.fromEntries(known);
}

/** A service has no person behind it. */
function personOf(delegation: Delegation | undefined): readonly string[] {
  return delegation === undefined || delegation.service === true ? [] : [delegation.subject];
}

/** The caller. A service has no pseudonym. */
function callerOf(delegation: Delegation, { key, pseudonyms }: RecordNames): AuditCaller {
  const { subject, service, clientId, actor, consent, scopes } = delegation;
  const isService = service === true;
  return withoutUndefined({
    service: isService ? service : undefined,
    subjectPseudonym: isService ? undefined : pseudonyms.get(subject),
    clientId: recordedIdentifier(clientId, key),
    scopes: [...scopes]
      .sort()
      .slice(0, MAX_SCOPES)
      .map((scope) => recordedIdentifier(scope, key)),
    actor: actor === undefined ? undefined : recordedIdentifier(actor.sub, key),
    consentId: consent === undefined ? undefined : recordedIdentifier(consent.id, key),
    consentVersion: consent?.version,
    purposes: consent?.purposes.slice(0, MAX_PURPOSES).map((purpose) => recordedIdentifier(purpose, key)),
  });
}
