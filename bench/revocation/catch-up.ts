import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { silentLog } from '@behalf/gateway';
import { RevocationView, SsfReceiver } from '@behalf/revocation/internal';
import { printTable } from '../harness/table.js';
import type { World } from './world.js';

const BACKLOGS = [10_000, 100_000] as const;
const RECEIVERS = [1, 3] as const;
const GIVE_UP_MS = 120_000;
const LOOK_MS = 2;

/**
 * How long a new gateway denies everything: the time until its receiver has read the whole backlog of a new stream. Receivers run
 * in this process, the authority in its own.
 */
export async function benchCatchUp(world: World): Promise<void> {
  const rows: string[][] = [];
  let events = 0;
  for (const backlog of BACKLOGS) {
    await appendRevocations(world, backlog - events);
    events = backlog;
    for (const receivers of RECEIVERS) {
      const seconds = await catchUp(world, receivers, backlog);
      const times =
        seconds === undefined
          ? [`over ${GIVE_UP_MS / 1_000}`, '']
          : [seconds.toFixed(2), (backlog / seconds).toFixed(0)];
      rows.push([backlog.toString(), receivers.toString(), ...times]);
    }
  }
  console.log('\nNew streams, until everything that they begin with is in the views:');
  printTable(['events', 'receivers', 'seconds', 'events/s each'], rows);
}

/** @returns seconds until the last receiver is fresh; undefined when that takes too long */
async function catchUp(world: World, count: number, events: number): Promise<number | undefined> {
  const stream = { issuer: world.issuer, secret: world.streamSecret };
  const views = Array.from({ length: count }, () => {
    const lifetimes = { maxStalenessMs: GIVE_UP_MS, maxTokenLifetimeSeconds: 3_600 };
    return new RevocationView({ issuers: [world.issuer], ...lifetimes });
  });
  const receivers = views.map((view) => new SsfReceiver(stream, view, silentLog));
  const startedAt = performance.now();
  try {
    for (const receiver of receivers) receiver.start();
    while (!views.every((view) => view.isFresh())) {
      if (performance.now() > startedAt + GIVE_UP_MS) return undefined;
      await sleep(LOOK_MS);
    }
    const seconds = (performance.now() - startedAt) / 1_000;
    if (views.some(({ size }) => size !== events)) throw new Error('a receiver has not caught up');
    return seconds;
  } finally {
    await Promise.all(receivers.map((receiver) => receiver.close()));
  }
}

/** Writes changes in bulk, as the log stores them: one by one through the register would take minutes. */
async function appendRevocations({ db }: World, count: number): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await sql`
      with head as (update authority.change_head set seq = seq + ${count} returning seq)
      insert into authority.change_event (seq, jti, kind, members, initiator, occurred_at)
      select head.seq - ${count} + n, gen_random_uuid(),
        'https://schemas.openid.net/secevent/caep/event-type/session-revoked',
        jsonb_build_object('consentId', gen_random_uuid(), 'subject', 'person-' || n, 'clientId', 'bench-app'),
        'admin', clock_timestamp()
      from head, generate_series(1, ${count}::bigint) n`.execute(trx);
  });
}
