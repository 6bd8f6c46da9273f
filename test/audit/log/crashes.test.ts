import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parsePolicy, verifyLog } from '@behalf/audit-verify';
import { leafHash, parseBundle, tilesOf } from '@behalf/audit-verify/internal';
import { projectPath } from '@behalf/example/internal';
import { openDatabase, openDatabaseServer } from '@behalf/store';
import type { DatabaseServer } from '@behalf/store';
import { DatabaseSource, loadLogKey, verifierKey } from '../../../audit/log/index.js';
import { createWriterRole, migrateAudit, writerUrl } from '../../../audit/postgres.js';
import type { AuditDatabase } from '../../../audit/postgres.js';
import { freePort } from '../../gateway/support.js';
import { pause, until } from '../../support/wait.js';

/** `npm run test:crashes` has 200. */
const CRASHES = Number(process.env.AUDIT_CRASHES ?? 6);
const ORIGIN = 'audit.crash.example';
const WRITERS = 2;

let folder: string;
let port: number;
let server: DatabaseServer;
let url: string;
const role = `crash_${randomBytes(6).toString('hex')}`;
/** What clients were promised. */
const receipts = new Set<string>();
const children = new Set<ChildProcess>();
/** By size: the root that was signed. */
const signed = new Map<number, string>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-crash-'));
  await chmod(folder, 0o711);
  port = await freePort();
  await startDatabase();
  const db = openDatabase<AuditDatabase>(server.url, { max: 1 });
  await migrateAudit(db);
  await createWriterRole(db, role, role);
  await db.destroy();
  url = writerUrl(server.url, role, role);
});
afterAll(async () => {
  await Promise.all([...children].map(kill));
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Always at the same address. */
async function startDatabase(): Promise<void> {
  server = await openDatabaseServer({ dataDir: join(folder, 'data'), port });
}

function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.add(child);
  return child;
}

function startWriter(): ChildProcess {
  const writer = start([projectPath('test/dist/audit/log/crash-writer.js'), url]);
  if (writer.stdout !== null) {
    // A line that was cut off is no receipt.
    createInterface(writer.stdout).on('line', (line) => {
      const [, receipt = ''] = line.split(' ');
      if (receipt.length === 43) receipts.add(receipt);
    });
  }
  return writer;
}

function startSequencer(): ChildProcess {
  const key = join(folder, 'key.pem');
  return start([projectPath('cli/bin.js'), 'audit', 'sequencer', '--origin', ORIGIN, '--key', key], {
    DATABASE_URL: server.url,
  });
}

async function kill(child: ChildProcess): Promise<void> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function withDatabase<T>(work: (db: Kysely<AuditDatabase>) => Promise<T>): Promise<T> {
  const db = openDatabase<AuditDatabase>(server.url, { max: 2 });
  try {
    return await work(db);
  } finally {
    await db.destroy();
  }
}

/** No size may ever have been signed with two roots. */
async function rememberSigned(): Promise<void> {
  const rows = await withDatabase((db) =>
    db.selectFrom('audit.checkpoint').select(['size', 'root']).orderBy('size', 'desc').limit(1_000).execute(),
  );
  for (const { root, size } of rows) {
    const before = signed.get(size);
    if (before !== undefined) expect(root.toString('hex')).toBe(before);
    signed.set(size, root.toString('hex'));
  }
}

interface Parts {
  readonly writers: ChildProcess[];
  readonly sequencers: ChildProcess[];
}

/** Starts those again that ended because the database was down while they started, as whoever runs them would. */
function restartEnded({ sequencers, writers }: Parts): void {
  for (const [kind, again] of [
    [writers, startWriter],
    [sequencers, startSequencer],
  ] as const) {
    for (const [at, child] of kind.entries()) {
      if (child.exitCode === null && child.signalCode === null) continue;
      children.delete(child);
      kind[at] = again();
    }
  }
}

async function crash(parts: Parts): Promise<void> {
  const which = randomInt(3);
  if (which === 0) {
    const at = randomInt(parts.writers.length);
    await Promise.all(parts.writers.splice(at, 1).map(kill));
    parts.writers.push(startWriter());
  } else if (which === 1) {
    const at = randomInt(parts.sequencers.length);
    await Promise.all(parts.sequencers.splice(at, 1).map(kill));
    parts.sequencers.push(startSequencer());
  } else {
    if (server.pid === undefined) throw new Error('the database has no process');
    process.kill(server.pid, 'SIGKILL');
    await server.closed;
    await startDatabase();
  }
}

async function waiting(): Promise<number> {
  return withDatabase(async (db) => {
    const { count } = await db
      .selectFrom('audit.pending')
      .select((column) => column.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    return count;
  });
}

it(
  `writers, sequencers and PostgreSQL killed ${CRASHES} times lose no record that has a receipt`,
  { timeout: 60_000 + CRASHES * 15_000 },
  async () => {
    const parts = {
      writers: Array.from({ length: WRITERS }, startWriter),
      sequencers: [startSequencer(), startSequencer()],
    };
    for (let crashes = 0; crashes < CRASHES; crashes++) {
      const before = receipts.size;
      // Each crash hits a log that is in use.
      await until(() => {
        restartEnded(parts);
        return receipts.size > before + 20;
      }, 'records are stored');
      for (let pauses = randomInt(4); pauses > 0; pauses--) await pause();
      await crash(parts);
      restartEnded(parts);
      await rememberSigned().catch((error: unknown) => {
        // The database may have just been killed.
        if (error instanceof Error && error.name === 'AssertionError') throw error;
      });
    }
    await Promise.all(parts.writers.splice(0).map(kill));
    await until(async () => {
      restartEnded(parts);
      return (await waiting().catch(() => 1)) === 0;
    }, 'all records are in the log');
    const key = await loadLogKey(join(folder, 'key.pem'), ORIGIN);
    await writeFile(join(folder, 'log.policy'), `log ${verifierKey(key)}\nquorum none\n`);
    const isSigned = async (): Promise<boolean> => {
      const [head, newest] = await withDatabase(async (db) => [
        await db.selectFrom('audit.head').select('size').executeTakeFirstOrThrow(),
        await db
          .selectFrom('audit.checkpoint')
          .select('size')
          .orderBy('size', 'desc')
          .limit(1)
          .executeTakeFirst(),
      ]);
      return head.size === newest?.size;
    };
    await until(isSigned, 'all of the log is signed');
    await Promise.all(parts.sequencers.map(kill));
    await rememberSigned();
    await withDatabase(async (db) => {
      const source = new DatabaseSource(db);
      const report = await verifyLog(source, parsePolicy(`log ${verifierKey(key)}\nquorum none\n`));
      expect(report.findings).toEqual([]);
      const leaves = new Set<string>();
      for (const place of tilesOf(report.checkpoint?.size ?? 0)) {
        for (const entry of parseBundle(await source.entries(place)))
          leaves.add(leafHash(entry).toString('base64url'));
      }
      expect(receipts.size).toBeGreaterThan(CRASHES * 20);
      expect([...receipts].filter((receipt) => !leaves.has(receipt))).toEqual([]);
      console.log(
        `${CRASHES} crashes: ${receipts.size} receipts, ${leaves.size} entries, ${signed.size} heads`,
      );
    });
  },
);
