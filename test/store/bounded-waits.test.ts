import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  type AuthorityDatabase,
  type AuthoritySchema,
  ConsentRegister,
  SuspensionRegister,
} from '../../authority/internal.js';
import { lockDecision } from '../../authority/locks.js';
import { openDatabase } from '../../store/index.js';
import { createAuthorityDatabase } from '../support/authority-database.js';
import type { TestDatabase } from '../support/database.js';
import { projectPath } from '@behalf/example/internal';

const FOLDERS = ['audit', 'authority', 'cli', 'gateway', 'policy', 'store', 'subgraphs'];

async function sources(): Promise<(readonly [file: string, text: string])[]> {
  const found: (readonly [string, string])[] = [];
  for (const folder of FOLDERS) {
    for (const name of await readdir(projectPath(folder), { recursive: true })) {
      if (!name.endsWith('.ts')) continue;
      const file = join(folder, name);
      found.push([file, await readFile(projectPath(file), 'utf8')]);
    }
  }
  return found;
}

describe('the source code', () => {
  it('takes no advisory locks', async () => {
    const files = await sources();
    expect(files.length).toBeGreaterThan(100);
    const taking = files.filter(([, text]) => /pg_(?:try_)?advisory|\bMigrator\b/.test(text));
    expect(taking.map(([file]) => file)).toEqual([]);
  });

  it('opens no connection without time limits', async () => {
    const opening = (await sources()).filter(([, text]) => /new pg\.(?:Pool|Client)\(/.test(text));
    expect(opening.length).toBeGreaterThan(4);
    for (const [file, text] of opening) {
      const count = text.match(/new pg\.(?:Pool|Client)\(/g)?.length ?? 0;
      const bounded =
        text.match(/timeoutSettings\((?!\{ lockTimeoutMs, statementTimeoutMs)|lock_timeout: /g)?.length ?? 0;
      expect(bounded, file).toBeGreaterThanOrEqual(count);
    }
  });
});

describe('a connection', () => {
  let database: TestDatabase<AuthoritySchema>;
  beforeAll(async () => {
    database = await createAuthorityDatabase();
  });
  afterAll(() => database.drop());

  it('is limited by the server from its first statement on', async () => {
    const names = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'];
    for (const name of names) {
      const { rows } = await sql<{ setting: string }>`select current_setting(${name}) as setting`.execute(
        database.db,
      );
      expect(rows[0]?.setting, name).toMatch(/^[1-9]\d*(?:s|min)$/);
    }
  });

  const BY = { by: 'iris', initiator: 'admin', reason: 'a test' } as const;
  const register = (db: AuthorityDatabase) => new ConsentRegister(db);
  const client = { kind: 'client', clientId: 'app' } as const;
  const STOPS = [
    ['revokeToken', ['token', 't'], (db: AuthorityDatabase) => register(db).revokeToken('t', BY)],
    ['revokeSession', ['session', 's'], (db: AuthorityDatabase) => register(db).revokeSession('s', BY)],
    [
      'suspendClient',
      ['suspension', 'client', 'app'],
      (db: AuthorityDatabase) => new SuspensionRegister(db).suspend(client, BY),
    ],
  ] as const;

  it.each(STOPS)(
    'gives up waiting for another session, and changes nothing: %s',
    async (_name, [kind, ...id], stop) => {
      const impatient = openDatabase<AuthoritySchema>(database.url, { max: 2, lockTimeoutMs: 30 });
      try {
        await database.db.transaction().execute(async (trx) => {
          await lockDecision(trx, kind, ...id);
          await expect(stop(impatient)).rejects.toMatchObject({ name: 'AuthorityError', code: 'STORE_BUSY' });
        });
        const { rows } = await sql`select from authority.change_event`.execute(database.db);
        expect(rows).toEqual([]);
      } finally {
        await impatient.destroy();
      }
    },
  );

  it('gives up waiting for the head of the change log', async () => {
    const impatient = openDatabase<AuthoritySchema>(database.url, { max: 2, lockTimeoutMs: 30 });
    try {
      await database.db.transaction().execute(async (trx) => {
        await sql`select from authority.change_head for update`.execute(trx);
        await expect(new ConsentRegister(impatient).revokeClient('app', BY)).rejects.toMatchObject({
          code: 'STORE_BUSY',
        });
      });
    } finally {
      await impatient.destroy();
    }
  });

  it('gets no lock if the row is missing', async () => {
    await expect(
      database.db.transaction().execute(async (trx) => {
        await sql`delete from authority.lock`.execute(trx);
        await lockDecision(trx, 'token', 't');
      }),
    ).rejects.toThrow('lacks the row');
  });
});
