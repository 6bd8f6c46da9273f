import { expect, it } from 'vitest';
import { AuditError } from '../../audit/index.js';
import type { AuditEntry, AuditEvent, AuditSink } from '../../audit/index.js';
import { SelfReport } from '../../gateway/seal/self-report.js';
import { ManualClock } from '../support/manual-clock.js';

/** A log of one's own, which can be away. */
class Sink implements AuditSink {
  readonly lost = 0;
  readonly entries: AuditEntry[] = [];
  isAway = true;

  async check(): Promise<void> {
    if (this.isAway) throw new AuditError('AUDIT_WRITE_FAILED');
  }

  async append(entry: AuditEntry): Promise<undefined> {
    await this.check();
    if (entry.transactionId === 'refused') throw new AuditError('AUDIT_RECORD_REFUSED');
    this.entries.push(entry);
  }

  async close(): Promise<void> {}

  get lossesTold(): unknown[] {
    return this.entries.flatMap((entry) =>
      'event' in entry && entry.event === 'records-lost' ? [entry.details?.['count']] : [],
    );
  }
}

function start() {
  const sink = new Sink();
  const clock = new ManualClock();
  const report = new SelfReport({ sink, lost: () => 0, mayLose: () => false, clock });
  return { sink, clock, report };
}

function entry(transactionId: string, details: AuditEvent['details'] = {}): AuditEvent {
  return { transactionId, time: 1, event: 'break-glass-ended', caller: {}, details };
}

it('records that wait are appended in their order, once', async () => {
  const { clock, report, sink } = start();
  for (const name of ['a', 'b', 'c']) report.keep(entry(name));
  await clock.advance(20_000);
  expect(sink.entries).toEqual([]);
  expect(report.untold).toBe(3);
  sink.isAway = false;
  await clock.advance(20_000);
  expect(sink.entries.map(({ transactionId }) => transactionId)).toEqual(['a', 'b', 'c']);
  expect(report.untold).toBe(0);
  await report.close();
  expect(sink.entries).toHaveLength(3);
});

it('records beyond the number that can wait are told as lost, once', async () => {
  const { clock, report, sink } = start();
  for (let each = 0; each < 250; each++) report.keep(entry(String(each)));
  expect(report.untold).toBe(250);
  sink.isAway = false;
  await clock.advance(20_000);
  expect(sink.entries).toHaveLength(201);
  expect(sink.lossesTold).toEqual([50]);
  expect(report.untold).toBe(0);
});

it('records beyond the bytes that can wait are told as lost; there is room again afterwards', async () => {
  const { clock, report, sink } = start();
  const large = { text: 'x'.repeat(6 * 1024 * 1024) };
  for (const name of ['a', 'b', 'c']) report.keep(entry(name, large));
  sink.isAway = false;
  await clock.advance(5_000);
  expect(sink.entries.map(({ transactionId }) => transactionId).slice(0, 2)).toEqual(['a', 'b']);
  expect(sink.lossesTold).toEqual([1]);
  report.keep(entry('d', large));
  await clock.advance(5_000);
  expect(sink.entries.at(-1)?.transactionId).toBe('d');
  expect(sink.lossesTold).toEqual([1]);
});

it('a record that the log refuses is told as lost, and holds up no other', async () => {
  const { clock, report, sink } = start();
  for (const name of ['refused', 'a']) report.keep(entry(name));
  report.miss();
  sink.isAway = false;
  await clock.advance(5_000);
  expect(sink.entries[0]?.transactionId).toBe('a');
  expect(sink.lossesTold).toEqual([2]);
});
