import { randomBytes, randomUUID } from 'node:crypto';

import { sql } from 'kysely';
import type { Client, QueryConfig } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { createWriterRole, migrateAudit } from '../../audit/postgres.js';
import { auditMigrations } from '../../audit/migrations.js';
import {
  type AuthorityDatabase,
  ConsentRegister,
  migrateAuthority,
  rotateSigningKeys,
  SuspensionRegister,
  transact,
} from '../../authority/internal.js';
import { ChangeFeed } from '../../authority/changes/feed.js';
import { wake } from '../../authority/changes/channels.js';
import { StreamRegister } from '../../authority/ssf/streams.js';
import { SealedSecrets } from '../../authority/keys/sealed.js';
import { tendKeys } from '../../authority/keys/tend.js';
import { createReplayRole, migrateReplay, openDatabase } from '../../store/index.js';
import { endHeldTransactions, migrate } from '../../store/internal.js';
import { createRoledDatabase, type RoledDatabase } from '../support/gateway-roles.js';

const SILENT = { log: () => undefined };
const BY = { by: 'iris', initiator: 'admin', reason: 'a test' } as const;

let roled: RoledDatabase;
let db: AuthorityDatabase;
let secrets: SealedSecrets;
const sessions: Client[] = [];

beforeAll(async () => {
  roled = await createRoledDatabase();
  db = roled.database.db;
  secrets = new SealedSecrets(db, randomBytes(32));
  await tendKeys(db, secrets);
});
afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.end().catch(() => undefined)));
});
afterAll(() => roled.drop());

async function stolen(which: 'writer' | 'replay'): Promise<Client> {
  const session = await roled[which].connect();
  sessions.push(session);
  return session;
}

const recordJson = (): string =>
  JSON.stringify([
    JSON.stringify({
      class: 'access',
      transactionId: randomUUID(),
      time: Date.now(),
      outcome: 'answered',
      fields: [],
    }),
  ]);

/** Every revocation and suspension, and everything that keeps an authority running. None of it may be affected. */
const WORK: Readonly<Record<string, () => Promise<unknown>>> = {
  suspendClient: () => suspend({ kind: 'client', clientId: 'app' }),
  'emergencyStop of a scope': () => suspend({ kind: 'scope', scope: 'a:read' }),
  'emergencyStop of everything': () => suspend({ kind: 'everything' }),
  revokeToken: () => new ConsentRegister(db).revokeToken('the-token', BY),
  revokeSession: () => new ConsentRegister(db).revokeSession('the-session', BY),
  revokeClient: () => new ConsentRegister(db).revokeClient('app', BY),
  revokeSubjectSessions: () => new ConsentRegister(db).revokeSubjectSessions('alma', BY),
  'a grant, narrowed and revoked': async () => {
    const register = new ConsentRegister(db);
    const { id } = await register.grant(terms());
    const { consent } = await register.narrow(id, { by: 'alma', removeScopes: ['b:read'] });
    const { outcome } = await register.revokeConsent(consent?.id ?? '', BY);
    expect(outcome).toBe('done');
  },
  'tending and rotating the signing keys': async () => {
    await tendKeys(db, secrets);
    await transact(db, (trx) => rotateSigningKeys(trx, { initiator: 'admin' }));
  },
  'making a stream and acknowledging': async () => {
    const streams = new StreamRegister(db);
    const wishes = { description: null, maxStalenessMs: 1_000, eventsRequested: [], push: undefined };
    const stream = await streams.create('gateways', wishes);
    await streams.acknowledge({ id: stream?.id ?? '' }, [randomUUID()]);
    await streams.remove(stream?.id ?? '');
  },
  'starting: all migrations': async () => {
    await migrateAuthority(db);
    await migrateAudit(db);
    await migrateReplay(db);
  },
  'making both roles again': async () => {
    await createWriterRole(db, roled.writerPassword, roled.writer.role);
    await createReplayRole(db, roled.writerPassword, roled.replay.role);
  },
};

function terms() {
  return {
    subject: 'alma',
    clientId: 'app',
    scopes: ['a:read', 'b:read'],
    declined: [],
    purposes: [],
    detail: 'full',
    until: new Date(Date.now() + 3_600_000),
    by: 'alma',
    notice: undefined,
    policyVersion: undefined,
  } as never;
}

async function suspend(target: Parameters<SuspensionRegister['suspend']>[0]): Promise<void> {
  const suspensions = new SuspensionRegister(db);
  expect((await suspensions.suspend(target, BY)).suspension).toBeDefined();
  expect((await suspensions.resume(target, BY)).outcome).toBe('done');
}

/** Uses a connection with short timeouts, to keep the test short. */
async function makeRolesAgain(): Promise<void> {
  const impatient = openDatabase<unknown>(roled.database.url, { max: 2, lockTimeoutMs: 100 });
  try {
    await createWriterRole(impatient, roled.writerPassword, roled.writer.role);
    await createReplayRole(impatient, roled.writerPassword, roled.replay.role);
  } finally {
    await impatient.destroy();
  }
}

/** Every key on which this code base, or kysely's migrator, ever took an advisory lock. */
const ADVISORY_KEYS = [
  '4218113907',
  '3853314791062309107',
  '7301884215',
  '5100220731',
  "hashtext('behalf audit writer')",
  "hashtext('behalf replay')",
  ...['app', 'a:read', ''].flatMap((name) =>
    ['client', 'scope', 'everything'].map((kind) => `hashtextextended('suspension ${kind} ${name}', 0)`),
  ),
  "hashtextextended('token the-token', 0)",
  "hashtextextended('session the-session', 0)",
  "hashtextextended('alma app', 0)",
];

describe.each(['writer', 'replay'] as const)('a stolen password of the %s', (which) => {
  const call = (): QueryConfig<unknown[]> =>
    which === 'writer'
      ? { text: 'select audit.append($1::jsonb)', values: [recordJson()] }
      : { text: 'select replay.claim($1, 60)', values: [randomBytes(32)] };

  const HELD: Readonly<Record<string, (session: Client) => Promise<unknown>>> = {
    'advisory locks on every key that was ever used': async (session) => {
      for (const key of ADVISORY_KEYS) await session.query(`select pg_advisory_lock(${key})`);
      await session.query('select pg_advisory_lock(718293, n) from generate_series(1, 100) n');
    },
    'an open transaction with a call that is not committed': async (session) => {
      await session.query('begin');
      await session.query(call());
    },
    'an old snapshot': async (session) => {
      await session.query('begin isolation level serializable');
      await session.query(call());
      await session.query('select pg_export_snapshot()');
    },
    'a statement that is prepared and holds its table': async (session) => {
      const table = which === 'writer' ? 'audit.record' : 'replay.proof';
      await session.query('begin');
      await session.query(`prepare held as delete from ${table}`);
      await session.query('prepare held_catalogue as update pg_authid set rolname = rolname');
    },
    'locks on the catalogue': async (session) => {
      await session.query('begin');
      for (const table of ['pg_class', 'pg_proc', 'pg_namespace', 'pg_authid', 'pg_database']) {
        await session.query(`lock table ${table === 'pg_authid' ? 'pg_roles' : table} in access share mode`);
      }
      await session.query('lock table pg_settings in access exclusive mode');
    },
  };

  it.each(Object.keys(HELD).flatMap((held) => Object.keys(WORK).map((work) => [held, work] as const)))(
    'cannot block, by holding %s: %s',
    async (held, work) => {
      await HELD[held]?.(await stolen(which));
      await WORK[work]?.();
    },
  );

  it('cannot block re-creating the role by an uncommitted change to itself', async () => {
    const session = await stolen(which);
    await session.query('begin');
    await session.query("alter role current_user password 'mine'");
    await makeRolesAgain();
    await expect(session.query('commit')).rejects.toThrow();
  });

  it.each([['set default_transaction_read_only = on'], ["set local_preload_libraries = 'none'"]])(
    'loses what it has %s for itself when the role is re-created',
    async (setting) => {
      const session = await stolen(which);
      const database = new URL(roled.database.url).pathname.slice(1);
      await session.query(`alter role current_user ${setting}`);
      await session.query(`alter role current_user in database "${database}" ${setting}`);
      await makeRolesAgain();
      await (await stolen(which)).query(call());
    },
  );

  it('cannot block re-creating the role by uncommitted grants to itself', async () => {
    const session = await stolen(which);
    const [fn, schema] =
      which === 'writer' ? ['audit.append(jsonb)', 'audit'] : ['replay.claim(bytea, integer)', 'replay'];
    await session.query('begin');
    await session.query(`grant execute on function ${fn} to current_user`);
    await session.query(`grant usage on schema ${schema} to current_user`);
    await makeRolesAgain();
  });
});

describe('an upgrade', () => {
  it.each([
    [
      'a record that is not committed',
      (s: Client) => s.query('select audit.append($1::jsonb)', [recordJson()]),
    ],
    [
      'a prepared insert',
      (s: Client) => s.query('prepare held as insert into audit.record (outcome) values (null)'),
    ],
    ['a prepared select', (s: Client) => s.query('prepare held as select from audit.record')],
  ] as const)('proceeds although the writer locks a table by %s', async (_how, hold) => {
    const session = await stolen('writer');
    await session.query('begin');
    await hold(session);
    // The writer's session is ended when the wait is over; here that takes less than ten seconds.
    await migrate(db, {
      part: 'audit',
      migrations: {
        ...auditMigrations,
        [`900-${randomUUID()}`]: {
          async up(trx) {
            await sql`set local lock_timeout = '50ms'`.execute(trx);
            await sql`alter table record add column added integer`.execute(trx);
          },
        },
      },
    });
    await sql`alter table audit.record drop column added`.execute(db);
    await sql`delete from audit.migration where name like '900-%'`.execute(db);
    await expect(session.query('commit')).rejects.toThrow();
  });
});

describe('sessions of gateway roles', () => {
  it('end if a transaction stays open; other sessions do not', async () => {
    const [idle, busy] = [await stolen('writer'), await stolen('replay')];
    await idle.query('select 1');
    await busy.query('begin');
    await db.transaction().execute(async (trx) => {
      await sql`select 1`.execute(trx);
      expect(await endHeldTransactions(db, 60)).toBe(0);
      expect(await endHeldTransactions(db, 0)).toBe(1);
      await sql`select 1`.execute(trx);
    });
    await expect(busy.query('select 1')).rejects.toThrow();
    await idle.query('select 1');
  });
});

describe('notifications', () => {
  it('wake nobody if forged on a guessable channel name', async () => {
    const feed = new ChangeFeed(roled.database.url, SILENT);
    await feed.open();
    try {
      const woken: string[] = [];
      const over = new AbortController();
      const waiting = feed.wait(over.signal).then(() => woken.push('woken'));
      const session = await stolen('replay');
      for (const name of ['behalf_authority_change', 'change', 'behalf', 'behalf_change']) {
        await session.query(
          `select pg_notify('${name}', n || '{"seq": 1, "kind": "revoked"}') from generate_series(1, 2000) n`,
        );
      }
      // When the listener receives the later notification of its own connection, it has received all of them.
      await sql`select 1`.execute(db);
      expect(woken).toEqual([]);
      await wake(db, 'change');
      await waiting;
      expect(woken).toEqual(['woken']);
    } finally {
      await feed.close();
    }
  });

  it('on the real channel only make listeners look', async () => {
    const feed = new ChangeFeed(roled.database.url, SILENT);
    await feed.open();
    try {
      const { rows } = await sql<{ channel: string }>`select channel from authority.channel
        where name = 'change'`.execute(db);
      const session = await stolen('writer');
      const before = await sql`select seq from authority.change_head`.execute(db);
      const waiting = feed.wait(new AbortController().signal);
      await session.query(`select pg_notify($1, n::text) from generate_series(1, 5000) n`, [
        rows[0]?.channel,
      ]);
      await waiting;
      expect((await sql`select seq from authority.change_head`.execute(db)).rows).toEqual(before.rows);
      await WORK['revokeToken']?.();
    } finally {
      await feed.close();
    }
  });

  it('use channel names unique to each database, unreadable to gateway roles', async () => {
    const { rows } = await sql<{ channel: string }>`select channel from authority.channel`.execute(db);
    expect(rows).toHaveLength(4);
    for (const { channel } of rows) expect(channel).toMatch(/^behalf_[0-9a-f]{32}$/);
    const session = await stolen('writer');
    const { rows: seen } = await session.query<{ query: string }>('select query from pg_stat_activity');
    for (const { channel } of rows) {
      expect(seen.some(({ query }) => query.includes(channel))).toBe(false);
    }
  });
});
