import { sql, type Transaction } from 'kysely';

import { causeOf, recordEvents } from '../audit/record-events.js';
import { appendChange, type AppendedChange, type Change, SESSION_REVOKED } from '../changes/log.js';
import type { ChangeMembers } from '../change-members.js';
import { lockDecision } from '../locks.js';
import { truncateReason } from '../reason.js';
import type { AuthoritySchema } from '../schema.js';
import { databaseNow } from './clock.js';
import { appendConsentEvent, type ConsentRow, toConsent } from './rows.js';
import type {
  Revocation,
  RevocationOptions,
  RevocationOutcome,
  SessionsRevocation,
  TokenRevocation,
} from './types.js';

type Trx = Transaction<AuthoritySchema>;

const UNKNOWN: Revocation = { outcome: 'unknown', ended: [], change: undefined };
const ALREADY: Revocation = { outcome: 'already', ended: [], change: undefined };

/**
 * Locks the matching consents in force, always in the same order. Issuing a token holds a share lock on its consent (see
 * token.ts), so it either precedes us, and the token's `iat` is not after our time, or sees our result.
 */
async function lockActive(
  trx: Trx,
  match: { id?: string; subject?: string; clientId?: string },
): Promise<ConsentRow[]> {
  let query = trx.selectFrom('authority.consent').selectAll().where('status', '=', 'active');
  if (match.id !== undefined) query = query.where('id', '=', match.id);
  if (match.subject !== undefined) query = query.where('subject', '=', match.subject);
  if (match.clientId !== undefined) query = query.where('client_id', '=', match.clientId);
  return query.orderBy('id').forUpdate().execute();
}

export async function revokeConsent(trx: Trx, id: string, options: RevocationOptions): Promise<Revocation> {
  const rows = await lockActive(trx, { id });
  const [row] = rows;
  const subject = row?.subject ?? (await subjectOf(trx, id));
  // A person can end only their own consents, whatever the caller has checked before, and learns of no other.
  const isForeign = options.initiator === 'user' && subject !== options.by;
  if (subject === undefined || isForeign) return UNKNOWN;
  // Uses the database's clock, by which consents expire: by a faster clock it might seem expired while it still counts.
  if (row === undefined || row.until.getTime() <= (await databaseNow(trx)).getTime()) return ALREADY;
  await trx.deleteFrom('authority.oidc_payload').where('grant_id', '=', id).execute();
  const change = await appendChange(
    trx,
    revoked({ consentId: id, subject: row.subject, clientId: row.client_id }, options),
  );
  return markRevoked(trx, rows, change, options, 'done');
}

export async function revokeToken(
  trx: Trx,
  tokenId: string,
  options: RevocationOptions,
): Promise<TokenRevocation> {
  // The second of two concurrent calls sees the result of the first.
  await lockDecision(trx, 'token', tokenId);
  const known = await trx
    .selectFrom('authority.change_event')
    .select('seq')
    .where(sql<string>`members ->> 'tokenId'`, '=', tokenId)
    .where(sql<boolean>`members ? 'tokenId'`)
    .limit(1)
    .executeTakeFirst();
  if (known !== undefined) return { outcome: 'already', change: undefined };
  const holder = await holderOf(trx, tokenId);
  const isPersons = holder !== undefined && holder.subject !== holder.clientId;
  await recordEvents(trx, [
    {
      ...stated(options),
      event: 'token-revoked',
      subjects: isPersons ? [holder.subject] : [],
      details: { tokenId, clientId: holder?.clientId },
    },
  ]);
  return { outcome: 'done', change: position(await appendChange(trx, revoked({ tokenId }, options))) };
}

/** Whose token it is; undefined if it is not alive any more. */
async function holderOf(
  trx: Trx,
  tokenId: string,
): Promise<{ readonly subject: string; readonly clientId: string } | undefined> {
  return trx
    .selectFrom('authority.token_status')
    .select(['subject', 'client_id as clientId'])
    .where('jti', '=', tokenId)
    .executeTakeFirst();
}

/**
 * A refresh or sign-in in progress may write back what is deleted here, so the end of the session is remembered for that long
 * (see `ended_session` in oidc/adapter.ts and token.ts).
 */
export async function revokeSession(
  trx: Trx,
  sessionId: string,
  options: RevocationOptions,
): Promise<SessionsRevocation> {
  await lockDecision(trx, 'session', sessionId);
  const { numInsertedOrUpdatedRows: inserted } = await trx
    .insertInto('authority.ended_session')
    .values({ session_id: sessionId })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow();
  const gone = await trx
    .deleteFrom('authority.oidc_payload')
    .where((eb) =>
      eb.or([
        eb.and([eb('model', '=', 'Session'), eb('uid', '=', sessionId)]),
        eb.and([
          eb(sql<string>`payload ->> 'sessionUid'`, '=', sessionId),
          sql<boolean>`payload ? 'sessionUid'`,
        ]),
      ]),
    )
    .returning(['model', 'account_id as subject'])
    .execute();
  if (inserted === 0n) return { ...ALREADY, ...countDeleted(gone) };
  const subjects = [...new Set(gone.flatMap(({ subject }) => subject ?? []))];
  const isOwn = options.initiator === 'user' && subjects.includes(options.by);
  await recordEvents(trx, [
    {
      ...stated(options),
      event: isOwn ? 'signed-out' : 'session-revoked',
      subjects,
      details: { sessionId, ...countDeleted(gone) },
    },
  ]);
  const change = await appendChange(trx, revoked({ sessionId }, options));
  const outcome = gone.length > 0 ? 'done' : 'unknown';
  return { outcome, ended: [], change: position(change), ...countDeleted(gone) };
}

export async function revokeClient(
  trx: Trx,
  clientId: string,
  options: RevocationOptions,
): Promise<Revocation> {
  const rows = await lockActive(trx, { clientId });
  await trx.deleteFrom('authority.oidc_payload').where('client_id', '=', clientId).execute();
  const outcome = (await isNamed(trx, 'client_id', clientId)) ? 'done' : 'unknown';
  const details = { clientId, consents: rows.length };
  await recordEvents(trx, [{ ...stated(options), event: 'client-revoked', details }]);
  const change = await appendChange(trx, revoked({ clientId }, options));
  return markRevoked(trx, rows, change, options, outcome);
}

export async function revokeSubjectSessions(
  trx: Trx,
  subject: string,
  options: RevocationOptions,
): Promise<SessionsRevocation> {
  const rows = await lockActive(trx, { subject });
  const gone = await trx
    .deleteFrom('authority.oidc_payload')
    .where('account_id', '=', subject)
    .where('model', '!=', 'Grant')
    .returning('model')
    .execute();
  const isKnown = gone.length > 0 || (await isNamed(trx, 'subject', subject));
  const event = { ...stated(options), event: 'subject-sessions-revoked', subjects: [subject] } as const;
  await recordEvents(trx, [{ ...event, details: countDeleted(gone) }]);
  const change = await appendChange(trx, revoked({ subject }, options));
  const cutoff = { subject, not_before: change.occurredAt };
  await trx
    .insertInto('authority.subject_cutoff')
    .values(cutoff)
    .onConflict((conflict) => conflict.column('subject').doUpdateSet(cutoff))
    .execute();
  await trx
    .updateTable('authority.consent')
    .set({ tokens_not_before: change.occurredAt })
    .where(
      'id',
      'in',
      rows.length > 0 ? rows.map((row) => row.id) : sql<string>`(select null::text where false)`,
    )
    .execute();
  const outcome = isKnown ? 'done' : 'unknown';
  return { outcome, ended: [], change: position(change), ...countDeleted(gone) };
}

function countDeleted(gone: readonly { readonly model: string }[]): { sessions: number; tokens: number } {
  return {
    sessions: gone.filter(({ model }) => model === 'Session').length,
    tokens: gone.filter(({ model }) => model === 'RefreshToken' || model === 'AuthorizationCode').length,
  };
}

async function subjectOf(trx: Trx, consentId: string): Promise<string | undefined> {
  const row = await trx
    .selectFrom('authority.consent')
    .select('subject')
    .where('id', '=', consentId)
    .executeTakeFirst();
  return row?.subject;
}

/** Whether anybody ever consented to it. If not, it may be misspelled. */
async function isNamed(trx: Trx, column: 'client_id' | 'subject', value: string): Promise<boolean> {
  const query = trx.selectFrom('authority.consent').select('id').where(column, '=', value).limit(1);
  return (await query.executeTakeFirst()) !== undefined;
}

async function markRevoked(
  trx: Trx,
  rows: readonly ConsentRow[],
  change: AppendedChange,
  options: RevocationOptions,
  outcome: RevocationOutcome,
): Promise<Revocation> {
  const ended: ConsentRow[] = [];
  for (const row of rows) {
    const after: ConsentRow = {
      ...row,
      status: 'revoked',
      ended_at: change.occurredAt,
      ended_by: options.by,
      ended_reason: truncateReason(options.reason) ?? null,
    };
    const { status, ended_at, ended_by, ended_reason } = after;
    await trx
      .updateTable('authority.consent')
      .set({ status, ended_at, ended_by, ended_reason })
      .where('id', '=', row.id)
      .execute();
    const { by } = options;
    await appendConsentEvent(trx, 'revoked', row, {
      by,
      cause: causeOf(options),
      reason: truncateReason(options.reason),
      at: change.occurredAt,
    });
    ended.push(after);
  }
  return { outcome, ended: ended.map((row) => toConsent(row)), change: position(change) };
}

function revoked(members: ChangeMembers, { by, initiator, reason }: RevocationOptions): Change {
  return { kind: SESSION_REVOKED, members, initiator, by, reason: truncateReason(reason) };
}

/** Who revokes, and why, for the audit log. */
function stated(options: RevocationOptions) {
  return { cause: causeOf(options), reason: truncateReason(options.reason) };
}

function position({ seq, jti }: AppendedChange): { seq: number; jti: string } {
  return { seq, jti };
}
