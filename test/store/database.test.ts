import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';

import { type Log, openDatabase, openDatabaseServer } from '../../store/index.js';
import { migrate } from '../../store/internal.js';
import { createTestDatabase, ensureTemplate, type TestDatabase } from '../support/database.js';
import { pause } from '../support/wait.js';

let database: TestDatabase<unknown>;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe('migrations', () => {
  it('run once even if several processes start at the same time', async () => {
    let runs = 0;
    const migrations = {
      '001_things': {
        up: async (db: TestDatabase<unknown>['db']) => {
          runs++;
          await sql`create table thing (id bigint primary key)`.execute(db);
        },
      },
    };
    const pools = [1, 2, 3, 4].map(() => openDatabase<unknown>(database.url, { max: 2 }));
    const done = await Promise.all(pools.map((db) => migrate(db, { part: 'things', migrations })));
    await Promise.all(pools.map((db) => db.destroy()));
    expect(done.flat()).toEqual(['001_things']);
    expect(runs).toBe(1);
    await sql`select id from things.thing`.execute(database.db);
  });

  it('of one part are independent of another part', async () => {
    const up = async (db: TestDatabase<unknown>['db']): Promise<void> => {
      await sql`create table same_name (id bigint)`.execute(db);
    };
    expect(await migrate(database.db, { part: 'one', migrations: { '001_one': { up } } })).toEqual([
      '001_one',
    ]);
    expect(await migrate(database.db, { part: 'two', migrations: { '001_two': { up } } })).toEqual([
      '001_two',
    ]);
  });

  it('that fail change nothing, and are named', async () => {
    const migrations = {
      '001_broken': {
        up: async (db: TestDatabase<unknown>['db']) => {
          await sql`create table half (id bigint)`.execute(db);
          await sql`select no_such_column`.execute(db);
        },
      },
    };
    await expect(migrate(database.db, { part: 'broken', migrations })).rejects.toMatchObject({
      name: 'StoreError',
      code: 'MIGRATION_FAILED',
      message: expect.stringContaining('broken/001_broken') as string,
    });
    const { rows } = await sql`select from pg_tables where tablename = 'half'`.execute(database.db);
    expect(rows).toEqual([]);
  });
});

describe('a database', () => {
  it('reads bigint as numbers', async () => {
    const { rows } = await sql`select 9007199254740991::bigint as largest`.execute(database.db);
    expect(rows).toEqual([{ largest: Number.MAX_SAFE_INTEGER }]);
    await expect(sql`select 9007199254740993::bigint`.execute(database.db)).rejects.toThrow(RangeError);
  });

  it('recovers from connections that broke while idle', async () => {
    const warnings: string[] = [];
    const log: Log = { log: (_level, _code, facts) => void warnings.push(String(facts?.reason)) };
    const db = openDatabase<unknown>(database.url, { log, applicationName: 'broken-while-idle' });
    await sql`select 1`.execute(db);
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'broken-while-idle'`.execute(
      database.db,
    );
    await expect.poll(() => warnings.length).toBe(1);
    expect((await sql`select 2 as two`.execute(db)).rows).toEqual([{ two: 2 }]);
    await db.destroy();
  });

  it('survives a connection that breaks within a transaction', async () => {
    const db = openDatabase<unknown>(database.url, { applicationName: 'broken-in-use' });
    const broken = db.transaction().execute(async (trx) => {
      await sql`create table never_there (id bigint)`.execute(trx);
      await sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'broken-in-use'`.execute(
        database.db,
      );
      // No query runs at the moment in which the connection learns of its end.
      await expect
        .poll(async () => {
          const { rows } =
            await sql`select from pg_stat_activity where application_name = 'broken-in-use'`.execute(
              database.db,
            );
          return rows.length;
        })
        .toBe(0);
      await pause();
      await sql`select 1`.execute(trx);
    });
    await expect(broken).rejects.toThrow();
    const { rows } = await sql`select from pg_tables where tablename = 'never_there'`.execute(db);
    expect(rows).toEqual([]);
    await db.destroy();
  });

  it('copies a template that is created once', async () => {
    let builds = 0;
    const build = async (url: string): Promise<void> => {
      builds++;
      const db = openDatabase<unknown>(url);
      await sql`create table filled as select 42 as answer`.execute(db);
      await db.destroy();
    };
    const names = await Promise.all([
      ensureTemplate('store_test', build),
      ensureTemplate('store_test', build),
    ]);
    expect(builds).toBeLessThanOrEqual(1);
    const copy = await createTestDatabase({ template: names[0] });
    expect((await sql`select answer from filled`.execute(copy.db)).rows).toEqual([{ answer: 42 }]);
    await copy.drop();
  });
});

describe('a foreign database', () => {
  it('is used and left alone', async () => {
    const server = await openDatabaseServer({ databaseUrl: inject('databaseUrl'), dataDir: '/nowhere' });
    expect(server.embedded).toBe(false);
    await server.stop();
    expect(await server.closed).toBeUndefined();
    expect((await sql`select 1 as one`.execute(database.db)).rows).toEqual([{ one: 1 }]);
  });

  it.each([
    ['postgres://user:s3cret@127.0.0.1:1/none', 'DATABASE_UNREACHABLE'],
    ['mysql://user:s3cret@127.0.0.1/none', 'DATABASE_UNREACHABLE'],
    ['s3cret', 'DATABASE_UNREACHABLE'],
  ])('is refused without revealing its password: %s', async (databaseUrl, code) => {
    const refusal = openDatabaseServer({ databaseUrl, dataDir: '/nowhere' });
    await expect(refusal).rejects.toMatchObject({ code });
    await expect(refusal).rejects.not.toMatchObject({ message: expect.stringContaining('s3cret') as string });
  });
});
