import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { sql } from 'kysely';
import { afterEach, expect, it } from 'vitest';

import { openDatabaseServer } from '../../store/index.js';
import { Cleanup, until } from '../gateway/support.js';
import { token } from '../revocation/transmitter.js';
import { createTestDatabase } from '../support/database.js';
import { CHANGES_PER_PERSON, Cluster, EVENTS_PER_PERSON } from './cluster.js';

/** `npm run test:failover` runs ten thousand, which take about a minute. */
const CHANGES = Number(process.env['FAILOVER_CHANGES'] ?? 160);
/** How many events a receiver requests at once: no more can be repeated after a broken poll. */
const EVENTS_PER_POLL = 500;

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

/** Changes that are only partly in the store. */
const CONTRADICTIONS = {
  'a number that is missing, or was given twice': sql`
    select head.seq from authority.change_head head,
      (select count(*) as count, coalesce(max(seq), 0) as max from authority.change_event) log
    where head.seq <> log.count or head.seq <> log.max`,
  'a consent that ended without a change, or more than one, or a change without an end': sql`
    select coalesce(c.id, e.id) from
      (select id from authority.consent where status in ('revoked', 'replaced')) c
      full join (select members->>'consentId' as id, count(*) as count from authority.change_event
        where members->>'consentId' is not null group by 1) e on e.id = c.id
    where c.id is null or e.count is distinct from 1`,
  'a consent that ended without an event of its own, or more than one': sql`
    select coalesce(c.id, e.id) from
      (select id, case status when 'replaced' then 'narrowed' else 'revoked' end as type
        from authority.consent where status in ('revoked', 'replaced')) c
      full join (select record_id as id, event_type as type, count(*) as count from authority.consent_event
        where event_type in ('narrowed', 'revoked') group by 1, 2) e on e.id = c.id and e.type = c.type
    where c.id is null or e.count is distinct from 1`,
  'a consent without its grant': sql`
    select id from authority.consent c where not exists (
      select from authority.consent_event e where e.record_id = c.id and e.event_type = 'granted')`,
  'a consent that is still in force': sql`select id from authority.consent where status = 'active'`,
};

async function expectNothingLost(cluster: Cluster, people: number): Promise<void> {
  const { answered, db, ears, ended } = cluster;
  for (const [what, query] of Object.entries(CONTRADICTIONS)) {
    expect((await query.execute(db)).rows, what).toEqual([]);
  }
  const log = await cluster.log();
  const inOrder = log.map(({ jti }) => jti);
  expect(cluster.answers).toBe(people * CHANGES_PER_PERSON);
  // Only changes that were repeated after a lost answer occur more than once.
  expect(log.length).toBeGreaterThanOrEqual(people * EVENTS_PER_PERSON);
  const inLog = new Set(inOrder);
  expect([...answered].filter((jti) => !inLog.has(jti))).toEqual([]);
  const consents = new Set(log.map(({ consentId }) => consentId));
  expect([...ended].filter((id) => !consents.has(id))).toEqual([]);

  const issuedAt = Math.floor(Date.now() / 1000);
  const last = inOrder.at(-1) ?? '';
  for (const ear of ears) {
    await until(() => ear.heard.includes(last), 'everything heard', 60_000);
    const { breaks, heard, view } = ear;
    // RFC 8417 section 2.2: `jti` distinguishes a repeated event from a new one. The first of each are the log, in order.
    expect([...new Set(heard)]).toEqual(inOrder);
    expect(heard.length - log.length).toBeLessThanOrEqual(breaks * EVENTS_PER_POLL);
    const alive = [...ended].filter(
      (consentId) => !view.isRevoked(token({ issuer: cluster.balancer.url, consentId, issuedAt })),
    );
    expect(alive).toEqual([]);
  }
}

it('killing one of three authorities loses, repeats and reorders no change', async () => {
  const people = Math.ceil(CHANGES / CHANGES_PER_PERSON);
  const database = await createTestDatabase();
  cleanup.add(() => database.drop());
  const cluster = await Cluster.start(database.url, cleanup);
  const changes = cluster.live(people);
  await until(() => cluster.answers > (people * CHANGES_PER_PERSON) / 2, 'half of the changes', 200_000);
  const [victim] = cluster.instances.filter(({ url }) => cluster.balancer.countTo(url) > 0);
  // While gateways and writers are busy.
  await until(() => (victim?.unanswered ?? 0) > 0, 'changes are being made');
  await victim?.kill();
  expect(cluster.instances.filter(({ isAlive }) => isAlive)).toHaveLength(2);
  await changes;
  await expectNothingLost(cluster, people);
}, 300_000);

it('a killed PostgreSQL comes back with every answered change', async () => {
  const people = 60;
  const dataDir = await mkdtemp(join(tmpdir(), 'behalf-failover-'));
  cleanup.add(() => rm(dataDir, { recursive: true, force: true }));
  await chmod(dataDir, 0o711);
  const first = await openDatabaseServer({ dataDir });
  let server = first;
  cleanup.add(() => server.stop());
  const cluster = await Cluster.start(first.url, cleanup);
  const changes = cluster.live(people);
  await until(() => cluster.answers > (people * CHANGES_PER_PERSON) / 2, 'half of the changes', 60_000);
  const { pid } = first;
  if (pid === undefined) throw new Error('it was not started here');
  process.kill(pid, 'SIGKILL');
  await first.closed;
  const failuresBefore = cluster.failures;
  await until(() => cluster.failures > failuresBefore, 'changes that fail');
  server = await openDatabaseServer({ dataDir, port: Number(new URL(first.url).port) });
  await changes;
  await expectNothingLost(cluster, people);
}, 300_000);
