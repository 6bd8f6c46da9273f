import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createReaderRole, createWriterRole, migrateAudit } from '../../audit/postgres.js';
import { createReplayRole } from '../../store/index.js';
import { createTestDatabase } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';

const ROLES = { writer: createWriterRole, reader: createReaderRole, 'replay role': createReplayRole };
let database: TestDatabase<unknown>;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

async function exists(role: string): Promise<boolean> {
  const { rows } = await sql`select from pg_roles where rolname = ${role}`.execute(database.db);
  return rows.length > 0;
}

it.each(Object.entries(ROLES))(
  'the %s is not created in a database without its tables',
  async (_, create) => {
    const role = `early_${randomBytes(6).toString('hex')}`;
    await expect(create(database.db, 'password', role)).rejects.toMatchObject({
      code: 'SCHEMA_MISSING',
      message: expect.stringContaining('migrate it before creating the role') as string,
    });
    expect(await exists(role)).toBe(false);
  },
);

it('the writer is not created for functions of another version', async () => {
  await migrateAudit(database.db);
  await sql`alter function audit.append(jsonb) rename to append_later`.execute(database.db);
  const role = `early_${randomBytes(6).toString('hex')}`;
  await expect(createWriterRole(database.db, 'password', role)).rejects.toMatchObject({
    code: 'SCHEMA_MISSING',
  });
  expect(await exists(role)).toBe(false);
});
