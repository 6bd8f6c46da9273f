import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import { DatabaseSource, newestCheckpoint, Sequencer, verifierKey } from '@behalf/audit/internal/log';
import { createWriterRole, migrateAudit, writerUrl } from '@behalf/audit/postgres';
import type { AuditDatabase } from '@behalf/audit/postgres';
import { parsePolicy, verifyLog } from '@behalf/audit-verify';
import type { Finding } from '@behalf/audit-verify';
import { silentLog, startGateway } from '@behalf/gateway';
import { openDatabase } from '@behalf/store';
import { BUDGET_SCOPES, discover, expect, ME, post, signIn, until } from './drill.js';
import type { Answer, Drill } from './drill.js';
import type { DrillSystem } from './system.js';

const ORIGIN = 'audit.drill.example';

/** A log of its own, with a gateway that writes to it, as its database's administrator sees both. */
interface DrilledLog {
  readonly db: Kysely<AuditDatabase>;
  readonly ask: () => Promise<Answer>;
  /** Against what was signed before the attack. */
  readonly verify: () => Promise<readonly Finding[]>;
}

async function withLog(system: DrillSystem, work: (log: DrilledLog) => Promise<void>): Promise<void> {
  const name = `drilled_log_${randomBytes(6).toString('hex')}`;
  const server = openDatabase<never>(system.databaseUrl, { max: 1 });
  await sql`create database ${sql.id(name)}`.execute(server);
  const url = new URL(system.databaseUrl);
  url.pathname = name;
  const db = openDatabase<AuditDatabase>(url.href, { max: 3 });
  try {
    await migrateAudit(db);
    await createWriterRole(db, name, name);
    await drill(system, db, writerUrl(url.href, name, name), work);
  } finally {
    await sql`drop owned by ${sql.id(name)}`.execute(db);
    await db.destroy();
    await sql`drop database ${sql.id(name)} with (force)`.execute(server);
    await sql`drop role ${sql.id(name)}`.execute(server);
    await server.destroy();
  }
}

async function drill(
  system: DrillSystem,
  db: Kysely<AuditDatabase>,
  database: string,
  work: (log: DrilledLog) => Promise<void>,
): Promise<void> {
  const key = { name: ORIGIN, privateKey: generateKeyPairSync('ed25519').privateKey };
  const sequencer = new Sequencer({ db, keys: [key], log: { log: () => undefined } });
  const gateway = await startGateway(
    { ...system.gatewayConfig, listen: { port: 0 }, audit: { mode: 'required', database } },
    { log: silentLog },
  );
  try {
    const alma = await signIn(await discover(system), 'alma', BUDGET_SCOPES);
    const ask = (): Promise<Answer> =>
      post(`${gateway.url}/graphql`, ME, { authorization: `Bearer ${alma.access_token}` });
    await until(async () => (await ask()).status === 200, 'the gateway serves');
    for (let each = 0; each < 5; each += 1) expect((await ask()).status === 200, 'it is recorded');
    await sequencer.round();
    // With the answer to each append the gateway learns how long the log is.
    expect((await ask()).status === 200, 'the gateway has seen the head');
    const seen = [(await newestCheckpoint(db))?.note ?? ''];
    const policy = parsePolicy(`log ${verifierKey(key)}\nquorum none\n`);
    const verify = async (): Promise<readonly Finding[]> =>
      (await verifyLog(new DatabaseSource(db), policy, { seen })).findings;
    expect((await verify()).length === 0, 'the log is whole before');
    await work({ db, ask, verify });
  } finally {
    await gateway.close();
    await sequencer.close();
  }
}

/** Waits until the gateway refuses, and says how long it served. */
async function stops({ ask }: DrilledLog): Promise<number> {
  const began = performance.now();
  let last: Answer | undefined;
  await until(async () => {
    last = await ask();
    return last.status === 503;
  }, 'the gateway stops');
  expect(last?.codes[0] === 'AUDIT_UNAVAILABLE', 'the client learns why');
  expect(last.data === undefined || last.data === null, 'no data leaves');
  return performance.now() - began;
}

function one(findings: readonly Finding[]): string {
  const [finding] = findings;
  expect(finding !== undefined, 'it is found');
  return `${finding.code}: ${finding.message}`;
}

/** An administrator of the database changes what was recorded. */
export const logEdited: Drill = {
  name: 'log-edited',
  breach: 'An administrator of the database changes who read something.',
  async run(system, report) {
    await withLog(system, async (log) => {
      report.tried("update audit.record set content = replace(content, 'budget-app', 'other-app')");
      await sql`update audit.record set content = replace(content, 'budget-app', 'other-app')
        where seq = (select seq from audit.leaf where log_index = 2)`.execute(log.db);
      const findings = await log.verify();
      expect(findings.length === 1 && findings[0]?.index === 2, 'the record is named');
      report.stopped(`behalf audit verify: ${one(findings)}`);
      expect((await log.ask()).status === 200, 'service goes on');
      report.held('service goes on: nothing has disappeared');
    });
  },
};

/** An administrator of the database removes the newest records. */
export const logTruncated: Drill = {
  name: 'log-truncated',
  breach: 'An administrator of the database cuts off the end of the log, and everything that would show it.',
  async run(system, report) {
    await withLog(system, async (log) => {
      report.tried('delete the newest records with their entries, and set the head back');
      for (const statement of [
        'delete from audit.record where seq in (select seq from audit.leaf where log_index >= 4)',
        'delete from audit.leaf where log_index >= 4',
        'update audit.head set size = 4',
        'delete from audit.checkpoint where size > 4',
      ])
        await sql.raw(statement).execute(log.db);
      report.stopped(`the gateway refuses everything after ${Math.round(await stops(log))} ms`);
      report.stopped(`behalf audit verify: ${one(await log.verify())}`);
    });
  },
};

/** An administrator of the database drops the log. */
export const logDeleted: Drill = {
  name: 'log-deleted',
  breach: 'An administrator of the database drops the tables of the log under a running gateway.',
  async run(system, report) {
    await withLog(system, async (log) => {
      report.tried('drop schema audit cascade');
      await sql`drop schema audit cascade`.execute(log.db);
      report.stopped(`the gateway refuses everything after ${Math.round(await stops(log))} ms`);
      report.tried('make the tables again, empty, as if nothing had happened');
      await migrateAudit(log.db);
      expect((await log.ask()).status === 503, 'the gateway stays closed');
      report.stopped('the gateway stays closed: its records are gone');
    });
  },
};
