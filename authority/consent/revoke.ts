import { sql, type Transaction } from 'kysely';

import { appendChange, type AppendedChange, type Change, SESSION_REVOKED } from '../changes/log.js';
import type { AuthoritySchema } from '../schema.js';
import { appendConsentEvent, type ConsentRow, toConsent } from './rows.js';
import type { Revocation, RevocationOptions, SessionsRevocation } from './types.js';

type Trx = Transaction<AuthoritySchema>;

const REASON_LENGTH_AT_MOST = 500;

const NOTHING: Revocation = { ended: [], change: undefined };

/**
 * Locks the consents in force that match, always in the same order. An issuer of a token holds a share lock on its consent
 * while it decides (see token.ts): it is either before us, and its token's `iat` is not after our time, or sees our result.
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
  // A person ends their own consents only, whatever the caller has checked before.
  if (row === undefined || (options.initiator !== 'admin' && row.subject !== options.by)) return NOTHING;
  if (row.until.getTime() <= Date.now()) return NOTHING;
  await trx.deleteFrom('authority.oidc_payload').where('grant_id', '=', id).execute();
  const change = await appendChange(
    trx,
    revoked({ consentId: id, subject: row.subject, clientId: row.client_id }, options),
  );
  return end(trx, rows, change, options);
}

export async function revokeClient(
  trx: Trx,
  clientId: string,
  options: RevocationOptions,
): Promise<Revocation> {
  const rows = await lockActive(trx, { clientId });
  await trx.deleteFrom('authority.oidc_payload').where('client_id', '=', clientId).execute();
  const change = await appendChange(trx, revoked({ clientId }, options));
  return end(trx, rows, change, options);
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
  const sessions = gone.filter(({ model }) => model === 'Session').length;
  const tokens = gone.filter(({ model }) => model === 'RefreshToken' || model === 'AuthorizationCode').length;
  return { ended: [], change: position(change), sessions, tokens };
}

async function end(
  trx: Trx,
  rows: readonly ConsentRow[],
  change: AppendedChange,
  options: RevocationOptions,
): Promise<Revocation> {
  const ended: ConsentRow[] = [];
  for (const row of rows) {
    const after: ConsentRow = {
      ...row,
      status: 'revoked',
      ended_at: change.occurredAt,
      ended_by: options.by,
      ended_reason: bounded(options.reason) ?? null,
    };
    const { status, ended_at, ended_by, ended_reason } = after;
    await trx
      .updateTable('authority.consent')
      .set({ status, ended_at, ended_by, ended_reason })
      .where('id', '=', row.id)
      .execute();
    await appendConsentEvent(trx, 'revoked', row, { by: options.by, reason: bounded(options.reason) });
    ended.push(after);
  }
  return { ended: ended.map((row) => toConsent(row)), change: position(change) };
}

function revoked(members: Change['members'], { initiator, reason }: RevocationOptions): Change {
  return { kind: SESSION_REVOKED, members, initiator, reason: bounded(reason) };
}

/** Free text from outside, kept for ever and sent to every gateway. */
function bounded(reason: string | undefined): string | undefined {
  return reason?.slice(0, REASON_LENGTH_AT_MOST);
}

function position({ seq, jti }: AppendedChange): { seq: number; jti: string } {
  return { seq, jti };
}
