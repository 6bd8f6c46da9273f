import { sql, type Transaction } from 'kysely';

import { appendChange, SESSION_REVOKED } from '../changes/log.js';
import type { AuthoritySchema } from '../schema.js';
import { appendConsentEvent, type ConsentRow, newConsentRow } from './rows.js';
import type { ConsentTerms } from './types.js';

type Trx = Transaction<AuthoritySchema>;

/**
 * Writes down what a person decided. A consent that only grows keeps its identity; one that shrinks in any way is replaced
 * by a new one, and the old one's tokens die: they were minted under broader terms.
 */
export async function recordGrant(trx: Trx, terms: ConsentTerms): Promise<ConsentRow> {
  // Two answers of the same person for the same client come one after the other.
  await sql`select pg_advisory_xact_lock(hashtextextended(${`${terms.subject} ${terms.clientId}`}, 0))`.execute(
    trx,
  );
  const now = new Date();
  const last = await trx
    .selectFrom('authority.consent')
    .selectAll()
    .where('subject', '=', terms.subject)
    .where('client_id', '=', terms.clientId)
    .orderBy('version', 'desc')
    .limit(1)
    .forUpdate()
    .executeTakeFirst();
  const next = newConsentRow(terms, (last?.version ?? 0) + 1, now);
  if (last?.status === 'active') {
    if (last.until.getTime() <= now.getTime()) await recordExpiry(trx, last);
    else if (includes(next, last)) return extend(trx, last, next, terms);
    else await replace(trx, last, next, terms);
  }
  await trx.insertInto('authority.consent').values(next).execute();
  await appendConsentEvent(trx, 'requested', asked(next), { by: terms.clientId });
  await appendConsentEvent(trx, 'granted', next, { by: terms.by, notice: terms.notice });
  return next;
}

/** Marks a consent whose time is over. Its tokens ended before it did: no gateway needs to know. */
export async function recordExpiry(trx: Trx, row: ConsentRow): Promise<void> {
  await trx
    .updateTable('authority.consent')
    .set({ status: 'expired', ended_at: row.until, ended_by: 'authority' })
    .where('id', '=', row.id)
    .execute();
  await appendConsentEvent(trx, 'expired', row, { by: 'authority' });
}

function includes(wide: ConsentRow, narrow: ConsentRow): boolean {
  return (
    narrow.scopes.every((scope) => wide.scopes.includes(scope)) &&
    narrow.purposes.every((purpose) => wide.purposes.includes(purpose)) &&
    (wide.detail === 'full' || narrow.detail === 'minimal') &&
    wide.until.getTime() >= narrow.until.getTime()
  );
}

async function extend(
  trx: Trx,
  last: ConsentRow,
  next: ConsentRow,
  terms: ConsentTerms,
): Promise<ConsentRow> {
  const { version, scopes, declined, purposes, detail, until } = next;
  const changed = { version, scopes, declined, purposes, detail, until };
  await trx.updateTable('authority.consent').set(changed).where('id', '=', last.id).execute();
  const row = { ...last, ...changed };
  await appendConsentEvent(trx, 'requested', asked(row), { by: terms.clientId });
  await appendConsentEvent(trx, 'extended', row, { by: terms.by, notice: terms.notice });
  return row;
}

async function replace(trx: Trx, last: ConsentRow, next: ConsentRow, terms: ConsentTerms): Promise<void> {
  const reason = `replaced by ${next.id}`;
  await appendConsentEvent(trx, 'narrowed', last, { by: terms.by, reason });
  await trx.deleteFrom('authority.oidc_payload').where('grant_id', '=', last.id).execute();
  const { occurredAt } = await appendChange(trx, {
    kind: SESSION_REVOKED,
    members: { consentId: last.id, subject: last.subject, clientId: last.client_id },
    initiator: 'user',
    reason: 'narrowed',
  });
  await trx
    .updateTable('authority.consent')
    .set({ status: 'replaced', ended_at: occurredAt, ended_by: terms.by, ended_reason: reason })
    .where('id', '=', last.id)
    .execute();
}

function asked(row: ConsentRow): ConsentRow {
  return { ...row, scopes: [...row.scopes, ...row.declined] };
}
