import { randomUUID } from 'node:crypto';

import fc from 'fast-check';
import { sql } from 'kysely';
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { AuditError } from '../../audit/index.js';
import { PostgresAuditSink, readAudit } from '../../audit/postgres.js';
import { MAX_EARLY_SECONDS, MAX_LATE_SECONDS, MAX_RECORD_BYTES } from '../../audit/columns.js';
import { createRoledDatabase, type RoledDatabase } from '../support/gateway-roles.js';
import { record } from './support.js';

let roled: RoledDatabase;
let thief: Client;
beforeAll(async () => {
  roled = await createRoledDatabase();
  thief = await roled.writer.connect();
});
afterAll(() => roled.drop());

const YEAR_MS = 365 * 24 * 3_600_000;

interface Sent {
  readonly [member: string]: unknown;
}

/**
 * Calls the function directly as the writer's role, bypassing the gateway's code.
 * @returns PostgreSQL's code if the call is refused
 */
async function append(...records: readonly Sent[]): Promise<unknown> {
  return thief.query('select audit.append($1::jsonb)', [texts(records)]).then(
    () => undefined,
    (error: unknown) => (error as { code?: unknown }).code,
  );
}

/** The argument of the function: a list of texts. */
const texts = (records: readonly Sent[]): string =>
  JSON.stringify(records.map((record) => JSON.stringify(record)));

const sent = (more: Sent = {}): Sent & { readonly transactionId: string } => ({
  class: 'access',
  transactionId: randomUUID(),
  time: Date.now(),
  outcome: 'answered',
  caller: {},
  fields: [],
  ...more,
});

async function stored(transactionId: string) {
  const [row] = await readAudit(roled.database.db, { transactionId, limit: 1 });
  if (row === undefined) throw new Error('nothing was stored');
  return row;
}

describe('the time of a record', () => {
  it.each([
    ['a year ago', () => Date.now() - YEAR_MS],
    ['a year from now', () => Date.now() + YEAR_MS],
    ['just too long ago', () => Date.now() - (MAX_LATE_SECONDS + 10) * 1000],
    ['just too far ahead', () => Date.now() + (MAX_EARLY_SECONDS + 10) * 1000],
    ['the epoch', () => 0],
    ['before all time', () => -1e300],
    ['after all time', () => 1e300],
    ['not there', () => null],
  ])('is replaced by the database’s time and marked if it is %s', async (_how, time) => {
    const own = sent({ time: time() });
    expect(await append(own)).toBeUndefined();
    const { isClockOff, occurredAt, recordedAt } = await stored(own.transactionId);
    expect(occurredAt).toEqual(recordedAt);
    expect(isClockOff).toBe(true);
  });

  it('is kept if the record waited for the database', async () => {
    const time = Date.now() - 30_000;
    const own = sent({ time });
    await append(own);
    expect(await stored(own.transactionId)).toMatchObject({ occurredAt: new Date(time), isClockOff: false });
  });

  it('is never far from the time of recording, whatever a writer claims', async () => {
    const columns = fc.constantFrom('time', 'occurred_at', 'recorded_at', 'recordedAt', 'seq', 'clock_off');
    const values = fc.oneof(
      fc.double({ noNaN: true }),
      fc.integer(),
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      fc.boolean(),
      fc.constant(null),
    );
    await fc.assert(
      fc.asyncProperty(fc.dictionary(columns, values), async (claims) => {
        const { rows } = await sql<{ now: Date; last: number }>`
          select clock_timestamp() as now, coalesce(max(seq), 0) as last from audit.record`.execute(
          roled.database.db,
        );
        const own = { ...sent(), ...claims };
        if ((await append(own)) !== undefined) return;
        const row = await stored(own.transactionId);
        const recorded = row.recordedAt.getTime();
        expect(row.seq).toBeGreaterThan(rows[0]?.last ?? Number.POSITIVE_INFINITY);
        expect(recorded).toBeGreaterThanOrEqual(rows[0]?.now.getTime() ?? Number.POSITIVE_INFINITY);
        expect(row.occurredAt.getTime()).toBeGreaterThanOrEqual(recorded - MAX_LATE_SECONDS * 1000 - 1);
        expect(row.occurredAt.getTime()).toBeLessThanOrEqual(recorded + MAX_EARLY_SECONDS * 1000 + 1);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a record', () => {
  it.each([
    ['an unknown outcome', { outcome: 'granted' }, '23514'],
    ['an outcome in another case', { outcome: 'Answered' }, '23514'],
    ['no outcome', { outcome: null }, '23514'],
    ['an outcome and an event', { event: 'records-lost' }, '23514'],
    ['an event that only the owner records', { outcome: null, event: 'records-erased' }, '23514'],
    ['fields that are not a list', { fields: { 'Person.name': 1 } }, '22023'],
    ['no fields', { fields: null }, '22023'],
    ['a transaction that is not one', { transactionId: 'x' }, '22P02'],
    ['no transaction', { transactionId: null }, '23502'],
    ['no class', { class: null }, '23502'],
    ['a class that is not one', { class: 'a class' }, '23514'],
    ['a class that is in no retention', { class: 'other' }, '23514'],
    ['fields that are a number', { fields: 1 }, '22023'],
    ['more text than any record has', { reason: 'x'.repeat(MAX_RECORD_BYTES) }, '22001'],
    [
      'more fields than any record has',
      { fields: Array.from({ length: 60_000 }, () => ({ coordinate: 'Person.name' })) },
      '22001',
    ],
  ])('is refused with %s', async (_how, more, code) => {
    expect(await append(sent(more))).toBe(code);
  });

  it.each([
    ['null', null],
    ['an object', '{}'],
    ['a text', '"x"'],
    ['too many', texts(Array.from({ length: 1_001 }, () => sent()))],
    ['numbers', '[1, 2]'],
    ['a nested list', '[[{}]]'],
    ['objects', JSON.stringify([sent()])],
    ['texts of something else', '["1", "[]"]'],
    ['texts that are no JSON', '["{"]'],
    ['lists, as texts', '["[]"]'],
    [
      'a text of two lines, which an export could not hold',
      JSON.stringify([JSON.stringify(sent()).replace(',', ',\n')]),
    ],
  ])('is refused if it is not a list of records: %s', async (_how, json) => {
    await expect(thief.query('select audit.append($1::jsonb)', [json])).rejects.toMatchObject({
      code: expect.stringMatching(/^2[23]/) as string,
    });
  });

  it('is stored with all others of its call, or not at all', async () => {
    const good = sent();
    expect(await append(good, sent({ outcome: 'granted' }))).toBe('23514');
    expect(await readAudit(roled.database.db, { transactionId: good.transactionId, limit: 1 })).toEqual([]);
  });

  it('reveals to its writer neither positions nor other records, but the head of the log', async () => {
    const { rows, fields } = await thief.query('select * from audit.append($1::jsonb)', [texts([sent()])]);
    expect(fields.map(({ name }) => name)).toEqual([
      'recorded_ms',
      'log_origin',
      'log_size',
      'log_root',
      'is_whole',
    ]);
    expect(rows).toMatchObject([{ log_origin: null, log_size: '0', is_whole: true }]);
  });
});

describe('a sink', () => {
  it('loses only a record that is too large', async () => {
    const sink = new PostgresAuditSink({ databaseUrl: roled.writer.url });
    const [small, large] = [record(), record({ source: 'x'.repeat(MAX_RECORD_BYTES) })];
    const all = [sink.append(small), sink.append(large), sink.append(record())];
    const settled = await Promise.allSettled(all);
    await sink.close();
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const [, refused] = settled;
    const reason: unknown = refused?.status === 'rejected' ? refused.reason : undefined;
    expect(reason instanceof AuditError ? reason.code : reason).toBe('AUDIT_RECORD_REFUSED');
    expect(await stored(small.transactionId)).toBeDefined();
  });

  it('bounds waiting records by bytes, and counts refused ones', async () => {
    const gone = new URL(roled.writer.url);
    gone.port = '1';
    const sink = new PostgresAuditSink({ databaseUrl: gone.href, maxWaitMs: 0 });
    const settling = Promise.allSettled(
      Array.from({ length: 100 }, () => sink.append(record({ source: 'x'.repeat(1_000_000) }))),
    );
    const settled = await settling;
    await sink.close();
    const full = settled.filter(
      (each) => each.status === 'rejected' && (each.reason as Error).message === 'AUDIT_QUEUE_FULL',
    );
    // 64 MiB of these are 67.
    expect(full).toHaveLength(33);
    expect(sink.lost).toBe(100);
  });
});
