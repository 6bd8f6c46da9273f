import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { type AuthorityDatabase, type AuthoritySchema, ConsentRegister } from '../../authority/internal.js';
import { openDatabase } from '../../store/index.js';
import { tellBusy } from '../../subgraphs/consent/busy.js';
import { createAuthorityDatabase } from '../support/authority-database.js';
import type { TestDatabase } from '../support/database.js';

let database: TestDatabase<AuthoritySchema>;
let impatient: AuthorityDatabase;
beforeAll(async () => {
  database = await createAuthorityDatabase();
  impatient = openDatabase<AuthoritySchema>(database.url, { max: 2, lockTimeoutMs: 30 });
});
afterAll(async () => {
  await impatient.destroy();
  await database.drop();
});

const BY = { by: 'iris', initiator: 'admin', reason: 'a test' } as const;

it('a busy store answers STORE_BUSY, and the stop can be repeated', async () => {
  const { stop } = tellBusy({ stop: () => new ConsentRegister(impatient).revokeToken('t', BY) });
  await database.db.transaction().execute(async (trx) => {
    await sql`select from authority.change_head for update`.execute(trx);
    await expect(stop(undefined, undefined as never, undefined as never)).rejects.toMatchObject({
      name: 'GraphQLError',
      extensions: { code: 'STORE_BUSY' },
    });
  });
  expect(await stop(undefined, undefined as never, undefined as never)).toMatchObject({ outcome: 'done' });
});

it('any other failure is unchanged', async () => {
  const { stop } = tellBusy({ stop: () => sql`select no_such_column`.execute(impatient) });
  await expect(stop(undefined, undefined as never, undefined as never)).rejects.toMatchObject({
    code: '42703',
  });
});
