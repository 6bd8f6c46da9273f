import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWriterRole, writerUrl } from '../../audit/postgres.js';
import type { AuditEvent } from '../../audit/index.js';
import type { AuditDatabase } from '../../audit/postgres.js';
import {
  AUDIENCE,
  Cleanup,
  codes,
  compose,
  send,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
  until,
} from '../gateway/support.js';
import type { Answer, TestGateway } from '../gateway/support.js';
import { createAuditDatabase } from '../support/audit-database.js';
import type { TestDatabase } from '../support/database.js';
import { ManualClock } from '../support/manual-clock.js';

const cleanup = new Cleanup();
const role = `audit_glass_${randomBytes(6).toString('hex')}`;
let database: TestDatabase<AuditDatabase>;
let issuer: TestIssuer;
let people: TestSubgraph;
let supergraph: string;

beforeAll(async () => {
  database = await createAuditDatabase();
  await createWriterRole(database.db, 'password', role);
  cleanup.add(async () => {
    await sql`drop owned by ${sql.id(role)}`.execute(database.db);
    await sql`drop role ${sql.id(role)}`.execute(database.db);
    await database.drop();
  });
  issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  supergraph = compose(people);
});
afterAll(() => cleanup.run());

async function start(audit: object, clock = ManualClock.running()): Promise<TestGateway> {
  return startTestGateway(
    cleanup,
    supergraph,
    {
      issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
      audit: {
        database: writerUrl(database.url, 'password', role),
        pseudonymKey: randomBytes(32).toString('base64url'),
        ...audit,
      },
    },
    { clock },
  );
}

/** Runs something while the log cannot be written. */
async function withoutLog(work: () => Promise<void>): Promise<void> {
  await sql`alter function audit.append(jsonb) rename to gone`.execute(database.db);
  try {
    await work();
  } finally {
    await sql`alter function audit.gone(jsonb) rename to append`.execute(database.db);
  }
}

async function events(...names: AuditEvent['event'][]): Promise<readonly AuditEvent[]> {
  const { rows } = await sql<{ content: string }>`
    select content from audit.record where event = any(${names}) order by seq`.execute(database.db);
  return rows.map(({ content }) => JSON.parse(content) as AuditEvent);
}

const inMs = (clock: ManualClock, ms: number): string => new Date(clock.now() + ms).toISOString();

describe('while the glass is broken', () => {
  it('data leaves without a durable record; then records are required again', async () => {
    const clock = ManualClock.running();
    const breakGlass = { until: inMs(clock, 3_600_000), by: 'mira', reason: 'INC-7' };
    const gateway = await start({ mode: 'required', breakGlass }, clock);
    const ask = () => gateway.ask('{ hello }');
    expect(gateway.log.of('AUDIT_GLASS_BROKEN')).toMatchObject([breakGlass]);
    await until(async () => (await events('break-glass-begun')).length === 1, 'it is recorded');
    await withoutLog(async () => {
      expect((await ask()).body).toEqual({ data: { hello: 'hello world' } });
      expect((await send(`${gateway.url}/health/ready`, '', {}, 'GET')).status).toBe(200);
      await until(() => gateway.log.of('AUDIT_RECORD_LOST').length > 0, 'the loss is logged');
    });
    await until(async () => {
      await clock.advance(5_000);
      return (await events('records-lost')).length > 0;
    }, 'the loss is recorded');
    await clock.advance(3_600_000);
    await until(async () => (await events('break-glass-ended')).length === 1, 'its end is recorded');
    await withoutLog(async () => {
      const refused = await ask();
      expect(refused.status).toBe(503);
      expect(codes(refused)).toEqual(['AUDIT_UNAVAILABLE']);
    });
    const recorded = await events('break-glass-begun', 'records-lost', 'break-glass-ended');
    expect(recorded).toMatchObject([
      { event: 'break-glass-begun', operator: 'mira', reason: 'INC-7', class: 'log' },
      { event: 'records-lost', details: { count: 1 } },
      { event: 'break-glass-ended', operator: 'mira', reason: 'INC-7' },
    ]);
  });

  it('is over when its time was over at the start', async () => {
    const clock = ManualClock.running();
    const breakGlass = { until: inMs(clock, -1), by: 'mira', reason: 'INC-8' };
    const gateway = await start({ mode: 'required', breakGlass }, clock);
    expect(gateway.log.of('AUDIT_GLASS_BROKEN')).toEqual([]);
    await withoutLog(async () => expect((await gateway.ask('{ hello }')).status).toBe(503));
  });

  it.each([
    ['audit.breakGlass.until', { until: '2999-01-01T00:00:00Z', by: 'mira', reason: 'r' }, 'required'],
    ['audit.breakGlass.until', { until: 'tomorrow', by: 'mira', reason: 'r' }, 'required'],
    ['audit.breakGlass.until', { until: '2026-11-30T18:00:00', by: 'mira', reason: 'r' }, 'required'],
    ['audit.breakGlass', { until: '2026-01-01T00:00:00Z', by: 'mira', reason: 'r' }, 'best-effort'],
    ['audit.breakGlass.reason', { until: '2026-01-01T00:00:00Z', by: 'mira', reason: '' }, 'required'],
    ['audit.breakGlass', { until: '2026-01-01T00:00:00Z', by: 'mira' }, 'required'],
  ])('does not start with a wrong %s: %j', async (key, breakGlass, mode) => {
    await expect(start({ mode, breakGlass })).rejects.toThrow(key);
  });
});

describe('in mode best-effort', () => {
  it('lost records are counted in the log itself', async () => {
    const before = (await events('records-lost')).length;
    const clock = ManualClock.running();
    const gateway = await start({ mode: 'best-effort' }, clock);
    await withoutLog(async () => {
      for (let each = 0; each < 3; each += 1) expect((await gateway.ask('{ hello }')).status).toBe(200);
      await until(() => gateway.log.of('AUDIT_RECORD_LOST').length === 3, 'all are lost');
      await clock.advance(5_000);
    });
    await until(async () => {
      await clock.advance(5_000);
      return (await events('records-lost')).length > before;
    }, 'the losses are recorded');
    const [told] = (await events('records-lost')).slice(before);
    expect(told?.details).toEqual({ count: 3 });
  });
});

describe('a mutation whose outcome cannot be recorded', () => {
  /** Answers the mutation when the log has gone away. */
  async function touch(gateway: TestGateway): Promise<Answer> {
    let answer: Answer | undefined;
    let begun: () => void = () => undefined;
    const isBegun = new Promise<void>((resolve) => (begun = resolve));
    let finish: () => void = () => undefined;
    const isOver = new Promise<void>((resolve) => (finish = resolve));
    people.instead = async (_request, response) => {
      begun();
      await isOver;
      response.setHeader('content-type', 'application/json');
      response.end('{"data":{"touch":"distinctive"}}');
    };
    const asked = gateway.ask('mutation { touch }');
    await isBegun;
    await withoutLog(async () => {
      finish();
      answer = await asked;
    });
    people.instead = undefined;
    if (answer === undefined) throw new Error('no answer');
    return answer;
  }

  async function outcomes(transactionId: string): Promise<readonly string[]> {
    const { rows } = await sql<{ outcome: string }>`
      select outcome from audit.record where transaction_id = ${transactionId} order by seq`.execute(
      database.db,
    );
    return rows.map(({ outcome }) => outcome);
  }

  it('is answered without its data or an invitation to repeat it; its outcome is recorded later', async () => {
    const clock = ManualClock.running();
    const gateway = await start({ mode: 'required' }, clock);
    const answer = await touch(gateway);
    expect(answer.status).toBe(500);
    expect(codes(answer)).toEqual(['OUTCOME_NOT_RECORDED']);
    expect(answer.headers['retry-after']).toBeUndefined();
    expect(answer.text).not.toContain('distinctive');
    const transaction = String(answer.headers['behalf-transaction']);
    expect(await outcomes(transaction)).toEqual(['intended']);
    const told = (await events('records-lost')).length;
    await until(async () => {
      await clock.advance(5_000);
      return (await outcomes(transaction)).length > 1;
    }, 'the outcome is recorded');
    expect(await outcomes(transaction)).toEqual(['intended', 'answered']);
    await clock.advance(10_000);
    expect(await events('records-lost')).toHaveLength(told);
  });

  it('is logged as lost by a gateway that stops before the log is back', async () => {
    const gateway = await start({ mode: 'required' });
    await touch(gateway);
    await withoutLog(() => gateway.running.close());
    expect(gateway.log.of('AUDIT_RECORD_LOST')).toMatchObject([{ lost: 1, reason: 'CLOSED' }]);
  });
});
