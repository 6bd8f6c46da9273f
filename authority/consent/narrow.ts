import { randomUUID } from 'node:crypto';

import type { Transaction } from 'kysely';

import { causeOf } from '../audit/record-events.js';
import type { AuthoritySchema } from '../schema.js';
import { lockDecision } from '../locks.js';
import { truncateReason } from '../reason.js';
import { announceEnd, databaseNow } from './clock.js';
import { endAsReplaced } from './replace.js';
import { areTooMany, hasLevels, joinLevels } from './levels.js';
import { appendConsentEvent, type ConsentRow, toConsent, toInsert } from './rows.js';
import type { Narrowed, Narrowing } from './types.js';

type Trx = Transaction<AuthoritySchema>;

const NOTHING: Narrowed = { consent: undefined, replaced: undefined, change: undefined };

/**
 * Narrows a person's own consent in force. What remains is a new consent; every token of the old one ends. Parts that the consent
 * does not contain are ignored.
 *
 * @throws RangeError if it would widen the consent, or leave nothing of it (revoke it instead)
 */
export async function narrowConsent(trx: Trx, id: string, narrowing: Narrowing): Promise<Narrowed> {
  const found = await trx
    .selectFrom('authority.consent')
    .select(['subject', 'client_id'])
    .where('id', '=', id)
    .executeTakeFirst();
  // A person can narrow only their own consents, whatever the caller has checked before.
  if (found === undefined || found.subject !== narrowing.by) return NOTHING;
  await lockDecision(trx, 'consent', found.subject, found.client_id);
  const row = await trx
    .selectFrom('authority.consent')
    .selectAll()
    .where('id', '=', id)
    .where('status', '=', 'active')
    .forUpdate()
    .executeTakeFirst();
  const now = await databaseNow(trx);
  if (row === undefined || row.until.getTime() <= now.getTime()) return NOTHING;
  const left = whatIsLeft(row, narrowing, now);
  if (isSame(left, row)) return { ...NOTHING, consent: toConsent(row, now.getTime()) };
  const { by, request } = narrowing;
  const cause = causeOf({ by, initiator: 'user', request });
  const reason = truncateReason(narrowing.reason);
  const { ended, change } = await endAsReplaced(trx, row, { successor: left.id, by, cause, reason });
  const next: ConsentRow = { ...left, granted_at: change.occurredAt };
  await trx.insertInto('authority.consent').values(toInsert(next)).execute();
  await appendConsentEvent(trx, 'granted', next, {
    by,
    cause,
    at: change.occurredAt,
    reason,
    replaces: row.id,
  });
  await announceEnd(trx);
  const { seq, jti } = change;
  return {
    consent: toConsent(next, now.getTime()),
    replaced: toConsent(ended, now.getTime()),
    change: { seq, jti },
  };
}

/** A removed part counts as refused, so that the person is not asked for it again unless an application insists. */
function whatIsLeft(row: ConsentRow, narrowing: Narrowing, now: Date): ConsentRow {
  const { removeScopes = [], removePurposes = [], until = row.until, detail = row.detail } = narrowing;
  const scopes = row.scopes.filter((name) => !removeScopes.includes(name));
  const purposes = row.purposes.filter((name) => !removePurposes.includes(name));
  if (scopes.length === 0) throw new RangeError('Nothing would be left: revoke the consent');
  if (purposes.length === 0 && row.purposes.length > 0) {
    throw new RangeError('No purpose would be left: revoke the consent');
  }
  if (until.getTime() > row.until.getTime()) throw new RangeError('Only the person, on the page, can extend');
  if (!(until.getTime() > now.getTime())) throw new RangeError('It would be over: revoke the consent');
  if (row.detail === 'minimal' && detail === 'full') {
    throw new RangeError('Only the person, on the page, can give more detail');
  }
  const levels = joinLevels(row.levels, narrowing.levels ?? {});
  if (areTooMany(levels)) throw new RangeError('Levels are chosen for too many fields');
  return {
    ...row,
    id: randomUUID(),
    version: row.version + 1,
    scopes,
    declined: [...row.declined, ...row.scopes.filter((name) => !scopes.includes(name))],
    purposes,
    declined_purposes: [...row.declined_purposes, ...row.purposes.filter((name) => !purposes.includes(name))],
    detail,
    levels,
    until,
    tokens_not_before: null,
  };
}

function isSame(left: ConsentRow, row: ConsentRow): boolean {
  return (
    left.scopes.length === row.scopes.length &&
    left.purposes.length === row.purposes.length &&
    left.detail === row.detail &&
    hasLevels(row.levels, left.levels) &&
    left.until.getTime() === row.until.getTime()
  );
}
