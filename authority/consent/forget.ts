import { sql, type Transaction } from 'kysely';

import { recordEvents } from '../audit/record-events.js';
import { AuthorityError } from '../errors.js';
import { truncateReason } from '../reason.js';
import type { AuthorityDatabase, AuthoritySchema } from '../schema.js';
import { transact } from '../transact.js';
import { databaseNow } from './clock.js';
import { recordExpiries } from './expire.js';
import { FORGETTING_SECONDS } from './finish-forgetting.js';
import { countChanged, type ForgottenName, renameEverywhere, renameInChanges } from './rename.js';
import type { RevocationOutcome } from './types.js';

type Trx = Transaction<AuthoritySchema>;

/** Whole tables are searched, which may take longer than a request may. */
const MAX_STATEMENT = '10min';
const MAX_LISTED = 10;

/** Who has a person forgotten, and why. Both are recorded in the audit log, so neither must name that person. */
export interface Forgetting {
  readonly operator: string;
  /** Cut after 500 characters. */
  readonly reason: string;
}

/** The result of {@link forgetSubject}. */
export interface Forgotten {
  /** `already`: within the last hour. `unknown`: the authority has nothing of theirs. */
  readonly outcome: RevocationOutcome;
  /** The number of their consents, which say that somebody agreed, but not who. */
  readonly consents: number;
}

/**
 * Forgets a person: their account, sign-ins, codes and tokens are deleted, and in everything else a random tombstone takes the place
 * of their name. The logs stay as complete as they were, and a replay still equals the consents. Free texts (reasons) are left.
 *
 * For an hour, the change log's latest events keep the name, because gateways refuse tokens by them; so does their cut-off. An
 * authority that runs then removes both, see `finishForgetting`.
 *
 * @throws AuthorityError `CONSENTS_IN_FORCE` while they have not ended: revoke them first, so that gateways enforce it
 * @throws AuthorityError `STORE_BUSY`
 *
 * @example
 * ```ts
 * import { type AuthoritySchema, forgetSubject } from '@behalf/authority/consent';
 * import { openDatabase } from '@behalf/store';
 *
 * const db = openDatabase<AuthoritySchema>('postgres://behalf@db.example/behalf');
 * const { outcome } = await forgetSubject(db, 'c-000001', { operator: 'mira', reason: 'request 4711' });
 * console.log(outcome);
 * await db.destroy();
 * ```
 */
export async function forgetSubject(
  db: AuthorityDatabase,
  subject: string,
  forgetting: Forgetting,
): Promise<Forgotten> {
  return transact(db, async (trx) => {
    await sql`select set_config('statement_timeout', ${MAX_STATEMENT}, true)`.execute(trx);
    await lockAccount(trx, subject);
    const consents = await endLapsed(trx, subject);
    const before = await nameOf(trx, subject);
    const name = await begin(trx, subject);
    const renamed = await renameEverywhere(trx, name);
    const removed = await removeOwn(trx, subject);
    const changes = await renameInChanges(trx, name, { olderThanSeconds: FORGETTING_SECONDS });
    if (renamed + removed + changes === 0 && before !== 'known') {
      await trx.deleteFrom('authority.forgotten_person').where('tombstone', '=', name.tombstone).execute();
      return { outcome: before === 'forgotten' ? 'already' : 'unknown', consents: 0 };
    }
    await cutOff(trx, name);
    const { operator, reason } = forgetting;
    await recordEvents(trx, [
      {
        event: 'person-forgotten',
        cause: { operator },
        reason: truncateReason(reason),
        details: { consents },
      },
    ]);
    return { outcome: 'done', consents };
  });
}

/** Before anything else: whoever grants holds this lock, see `refuseForgotten` in grant.ts. */
async function lockAccount(trx: Trx, subject: string): Promise<void> {
  const all = trx.selectFrom('authority.account').select('subject');
  await all.where('subject', '=', subject).forUpdate().execute();
}

/** @returns the number of their consents, all of which have ended */
async function endLapsed(trx: Trx, subject: string): Promise<number> {
  const all = trx.selectFrom('authority.consent').selectAll();
  const rows = await all.where('subject', '=', subject).orderBy('id').forUpdate().execute();
  const now = (await databaseNow(trx)).getTime();
  const active = rows.filter(({ status }) => status === 'active');
  const inForce = active.filter(({ until }) => until.getTime() > now);
  if (inForce.length > 0) {
    const listed = inForce.slice(0, MAX_LISTED).map(({ id }) => id);
    const more = inForce.length > MAX_LISTED ? ', …' : '';
    const message = `End their consents in force first (behalf revoke consent): ${listed.join(', ')}${more}`;
    throw new AuthorityError('CONSENTS_IN_FORCE', message);
  }
  await recordExpiries(trx, active);
  return rows.length;
}

/** What else has the name, which stays for an hour: a revocation of their sign-ins, or that they were forgotten just now. */
async function nameOf(trx: Trx, subject: string): Promise<'known' | 'forgotten' | 'unknown'> {
  const { rows } = await sql<{ forgotten: boolean; known: boolean }>`
    select exists (select from authority.forgotten_person where subject = ${subject}) as forgotten,
      exists (select from authority.subject_cutoff where subject = ${subject})
        or exists (select from authority.change_event
          where members ->> 'subject' = ${subject} or entity_id = ${subject}) as known`.execute(trx);
  if (rows[0]?.forgotten === true) return 'forgotten';
  return rows[0]?.known === true ? 'known' : 'unknown';
}

async function begin(trx: Trx, subject: string): Promise<ForgottenName> {
  return trx
    .insertInto('authority.forgotten_person')
    .values({ subject })
    .returning(['subject', 'tombstone'])
    .executeTakeFirstOrThrow();
}

/** What serves them alone: it goes. Requests in progress that name them anywhere go as well. */
async function removeOwn(trx: Trx, subject: string): Promise<number> {
  const account = await sql`delete from authority.account where subject = ${subject}`.execute(trx);
  const payloads = await sql`
    delete from authority.oidc_payload where account_id = ${subject}
      or jsonb_path_exists(payload, '$.** ? (@ == $name)', jsonb_build_object('name', ${subject}::text))`.execute(
    trx,
  );
  return countChanged(account) + countChanged(payloads);
}

/** Sign-ins that a request in progress writes back are over, also if the person comes back under the same name. */
async function cutOff(trx: Trx, { tombstone }: ForgottenName): Promise<void> {
  await sql`
    insert into authority.subject_cutoff (subject, not_before)
    select subject, forgotten_at from authority.forgotten_person where tombstone = ${tombstone}
    on conflict (subject) do update set not_before = excluded.not_before`.execute(trx);
}
