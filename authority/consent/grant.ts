import type { Transaction } from 'kysely';

import type { EventCause } from '../audit/record-events.js';
import type { AuthoritySchema } from '../schema.js';
import { lockDecision } from '../locks.js';
import { areTooMany, hasLevels } from './levels.js';
import { announceEnd, databaseNow } from './clock.js';
import { recordExpiries } from './expire.js';
import { endAsReplaced } from './replace.js';
import { appendConsentEvent, type ConsentRow, type EventDetails, newConsentRow, toInsert } from './rows.js';
import type { ConsentTerms } from './types.js';

type Trx = Transaction<AuthoritySchema>;

/**
 * Records a person's decision. A consent that only grows keeps its identifier. One that shrinks in any way is replaced by a new
 * one, and the old one's tokens end, because they were issued under broader terms.
 *
 * @throws RangeError if it has no scope, it would already have expired, its application is retired, or the person was just forgotten
 */
export async function recordGrant(trx: Trx, terms: ConsentTerms): Promise<ConsentRow> {
  return grantAfter(trx, await lockLast(trx, terms), terms);
}

/**
 * As {@link recordGrant}, but only if the consent in force is the one that the person was asked about. Of two requests with one
 * decision, which both found what was in force before, the first one records it.
 *
 * @param standing undefined if none was in force
 * @returns undefined, with nothing recorded, if it is another one now
 */
export async function recordGrantOver(
  trx: Trx,
  standing: { readonly id: string; readonly version: number } | undefined,
  terms: ConsentTerms,
): Promise<ConsentRow | undefined> {
  const locked = await lockLast(trx, terms);
  const { last, now } = locked;
  const inForce = last?.status === 'active' && last.until.getTime() > now.getTime() ? last : undefined;
  if (inForce?.id !== standing?.id || inForce?.version !== standing?.version) return undefined;
  return grantAfter(trx, locked, terms);
}

interface Locked {
  /** The newest consent of this person for this client, whatever its status. */
  readonly last: ConsentRow | undefined;
  readonly now: Date;
}

/** Nobody else decides about this person and client until the transaction ends. */
async function lockLast(trx: Trx, terms: ConsentTerms): Promise<Locked> {
  if (terms.scopes.length === 0) throw new RangeError('A consent must have a scope');
  if (areTooMany(terms.levels ?? {})) throw new RangeError('Levels are chosen for too many fields');
  await refuseRetired(trx, terms.clientId);
  await refuseForgotten(trx, terms.subject);
  await lockDecision(trx, 'consent', terms.subject, terms.clientId);
  const last = await trx
    .selectFrom('authority.consent')
    .selectAll()
    .where('subject', '=', terms.subject)
    .where('client_id', '=', terms.clientId)
    .orderBy('version', 'desc')
    .limit(1)
    .forUpdate()
    .executeTakeFirst();
  return { last, now: await databaseNow(trx) };
}

async function grantAfter(trx: Trx, { last, now }: Locked, terms: ConsentTerms): Promise<ConsentRow> {
  if (!(terms.until.getTime() > now.getTime())) throw new RangeError('A consent must end in the future');
  await announceEnd(trx);
  const version = (last?.version ?? 0) + 1;
  if (last?.status !== 'active') return begin(trx, newConsentRow(terms, version, now), terms);
  if (last.until.getTime() <= now.getTime()) {
    await recordExpiries(trx, [last]);
    return begin(trx, newConsentRow(terms, version, now), terms);
  }
  const next = newConsentRow(withEarlierRefusals(terms, last), version, now);
  if (includes(next, last)) return extend(trx, last, next, terms);
  const { change } = await endAsReplaced(trx, last, {
    successor: next.id,
    by: terms.by,
    cause: deciderOf(terms),
  });
  return begin(trx, { ...next, granted_at: change.occurredAt }, terms, last.id);
}

/** A concurrent retirement either waits for this transaction and ends what it granted, or is seen by it. */
async function refuseRetired(trx: Trx, clientId: string): Promise<void> {
  const application = await trx
    .selectFrom('authority.application')
    .select('retired_at')
    .where('client_id', '=', clientId)
    .forShare()
    .executeTakeFirst();
  if (application !== undefined && application.retired_at !== null) {
    throw new RangeError('The application is retired');
  }
}

/** Somebody with this account who was just forgotten must not be named again. Forgetting waits for us, or is seen here. */
async function refuseForgotten(trx: Trx, subject: string): Promise<void> {
  const account = await trx
    .selectFrom('authority.account')
    .select('subject')
    .where('subject', '=', subject)
    .forKeyShare()
    .executeTakeFirst();
  if (account !== undefined) return;
  const forgotten = await trx
    .selectFrom('authority.forgotten_person')
    .select('tombstone')
    .where('subject', '=', subject)
    .limit(1)
    .executeTakeFirst();
  if (forgotten !== undefined) throw new RangeError('The person was forgotten');
}

/** Scopes refused earlier and not asked for now stay refused, so that the person is not asked about them again. */
function withEarlierRefusals(terms: ConsentTerms, last: ConsentRow): ConsentTerms {
  const union = (...lists: (readonly string[])[]): string[] => [...new Set(lists.flat())];
  return {
    ...terms,
    declined: union(terms.declined, last.declined).filter((name) => !terms.scopes.includes(name)),
    declinedPurposes: union(terms.declinedPurposes ?? [], last.declined_purposes).filter(
      (name) => !terms.purposes.includes(name),
    ),
  };
}

function includes(wide: ConsentRow, narrow: ConsentRow): boolean {
  return (
    narrow.scopes.every((scope) => wide.scopes.includes(scope)) &&
    narrow.purposes.every((purpose) => wide.purposes.includes(purpose)) &&
    (wide.detail === 'full' || narrow.detail === 'minimal') &&
    hasLevels(narrow.levels, wide.levels) &&
    wide.until.getTime() >= narrow.until.getTime()
  );
}

async function begin(trx: Trx, row: ConsentRow, terms: ConsentTerms, replaces?: string): Promise<ConsentRow> {
  await trx.insertInto('authority.consent').values(toInsert(row)).execute();
  const decided = await appendRequested(trx, row, terms, row.granted_at);
  await appendConsentEvent(trx, 'granted', row, { ...decided, replaces });
  return row;
}

async function extend(
  trx: Trx,
  last: ConsentRow,
  next: ConsentRow,
  terms: ConsentTerms,
): Promise<ConsentRow> {
  const { version, scopes, declined, purposes, declined_purposes, detail, levels, until } = next;
  const changed = { version, scopes, declined, purposes, declined_purposes, detail, levels, until };
  const stored = { ...changed, levels: JSON.stringify(levels) };
  await trx.updateTable('authority.consent').set(stored).where('id', '=', last.id).execute();
  const row = { ...last, ...changed };
  const decided = await appendRequested(trx, row, terms, next.granted_at);
  await appendConsentEvent(trx, 'extended', row, decided);
  return row;
}

/** What the application asked for comes before the person's decision. @returns the details of that */
async function appendRequested(
  trx: Trx,
  row: ConsentRow,
  terms: ConsentTerms,
  at: Date,
): Promise<EventDetails> {
  const { by, clientId, notice, policyVersion } = terms;
  const asked = { by: clientId, cause: { request: { caller: { clientId } } } };
  await appendConsentEvent(trx, 'requested', shown(row, terms), { ...asked, at, policyVersion });
  return { by, cause: deciderOf(terms), at, notice, policyVersion };
}

/** The person, on the application's request. */
function deciderOf({ by, clientId }: ConsentTerms): EventCause {
  return { request: { caller: { subject: by, clientId } } };
}

/** The consent as it was offered to the person, before they declined parts of it. */
function shown(row: ConsentRow, terms: ConsentTerms): ConsentRow {
  return {
    ...row,
    scopes: [...terms.scopes, ...terms.declined],
    declined: [],
    purposes: [...terms.purposes, ...(terms.declinedPurposes ?? [])],
    declined_purposes: [],
  };
}
