import { sql } from 'kysely';
import { expect, it } from 'vitest';

import { type AuthoritySchema, migrateAuthority, verifyConsents } from '../../authority/internal.js';
import { first } from '../../authority/migrations/001-first.js';
import { migrate } from '../../store/migrate.js';
import { createTestDatabase } from '../support/database.js';

it('completes an old log, whose projection then equals a replay', async () => {
  const database = await createTestDatabase<AuthoritySchema>();
  const { db } = database;
  try {
    await migrate(db, { part: 'authority', migrations: { '001-first': first } });
    const event = (id: string, type: string, scopes: string, seconds: number, version = 1) =>
      sql`insert into authority.consent_event (record_id, event_type, event_time, pii_principal_id, client_id, entity_id,
          scopes, purposes, detail, valid_until, version, reason)
        values (${id}, ${type}, timestamptz '2026-01-01 00:00:00.123456Z' + make_interval(secs => ${seconds}), 'alma',
          ${`app-${id}`}, 'alma', ${scopes}::text[], '{budgeting}', 'full', '2027-01-01Z', ${version},
          ${type === 'revoked' ? 'enough' : null})`.execute(db);
    const consent = (id: string, version: number, declined: string, status: string, ended: string | null) =>
      sql`insert into authority.consent (id, version, subject, client_id, scopes, declined, purposes, detail, status,
          granted_at, until, ended_at, ended_by, ended_reason)
        values (${id}, ${version}, 'alma', ${`app-${id}`}, '{a:read}', ${declined}::text[], '{budgeting}', 'full', ${status},
          '2026-01-01 00:00:00.120Z', '2027-01-01Z', ${ended}, ${ended === null ? null : 'alma'},
          ${status === 'revoked' ? 'enough' : null})`.execute(db);

    await event('stands', 'requested', '{a:read,c:write,b:read}', 0);
    await event('stands', 'granted', '{a:read}', 0);
    await event('stands', 'requested', '{a:read,d:read}', 10, 2);
    await event('stands', 'extended', '{a:read}', 10, 2);
    await consent('stands', 2, '{d:read}', 'active', null);
    await event('revoked', 'requested', '{a:read,b:read}', 0);
    await event('revoked', 'granted', '{a:read}', 0);
    await event('revoked', 'revoked', '{a:read}', 20);
    await consent('revoked', 1, '{b:read}', 'revoked', '2026-01-01 00:00:20.110Z');
    await event('over', 'granted', '{a:read}', 0);
    await event('over', 'expired', '{a:read}', 40_000_000);
    await consent('over', 1, '{}', 'expired', '2027-01-01Z');

    await migrateAuthority(db);
    expect(await verifyConsents(db)).toEqual({ checked: 3, differences: [] });
    const declined = await db
      .selectFrom('authority.consent_event')
      .select(['record_id', 'event_type', 'declined'])
      .where('declined', '!=', sql<string[]>`'{}'`)
      .orderBy('event_id')
      .execute();
    expect(declined.map((row) => [row.record_id, row.event_type, row.declined])).toEqual([
      ['stands', 'granted', ['c:write', 'b:read']],
      ['stands', 'extended', ['d:read']],
      ['revoked', 'granted', ['b:read']],
      ['revoked', 'revoked', ['b:read']],
    ]);
    await expect(db.deleteFrom('authority.consent_event').execute()).rejects.toThrow('append-only');
  } finally {
    await database.drop();
  }
});
