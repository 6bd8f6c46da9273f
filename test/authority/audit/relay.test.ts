import { randomBytes, randomUUID } from 'node:crypto';

import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { AuditError } from '@behalf/audit';
import type { PostgresAuditSink } from '@behalf/audit/postgres';
import { recordEvents } from '../../../authority/audit/record-events.js';
import { endUnrelayedRecording } from '../../../authority/audit/recording.js';
import type { EventSink } from '../../../authority/audit/relay.js';
import { Housekeeping } from '../../../authority/housekeeping.js';
import { ConsentRegister } from '../../../authority/internal.js';
import { MAX_WAITING_EVENTS } from '../../../authority/migrations/022-audit-outbox.js';
import { consentTerms } from '../../support/consent-terms.js';
import { pause, until } from '../../support/wait.js';
import { TestEvents, waiting } from './support.js';

const ADMIN = { by: 'operator:mira', initiator: 'admin', reason: 'incident 7' } as const;

let events: TestEvents;
beforeEach(async () => {
  events = await TestEvents.create(`events_${randomBytes(6).toString('hex')}`);
});
afterEach(() => events.drop());

/** Grants and revokes a consent: three events. @returns the consent */
async function revoked(subject: string): Promise<string> {
  const register = new ConsentRegister(events.db);
  const { id } = await register.grant(consentTerms(subject));
  expect(await register.revokeConsent(id, ADMIN)).toMatchObject({ outcome: 'done' });
  return id;
}

async function delivered(): Promise<void> {
  await until(async () => (await waiting(events.db)).length === 0, 'the log has every event');
}

async function names(): Promise<string[]> {
  return (await events.recorded()).map(({ event }) => event);
}

/** A sink that does what a test says before or after the real one. */
function around(sink: PostgresAuditSink, changed: Partial<EventSink>): EventSink {
  return {
    append: (entry) => sink.append(entry),
    pseudonymsOf: (subjects) => sink.pseudonymsOf(subjects),
    check: () => sink.check(),
    close: () => sink.close(),
    get lost() {
      return sink.lost;
    },
    ...changed,
  };
}

describe('an event reaches the log', () => {
  it('with pseudonyms in place of names, and is then deleted', async () => {
    await events.relay();
    const id = await revoked('alma-by-name');
    await delivered();
    const pseudonym = (await events.auditLog.sink.pseudonymsOf(['alma-by-name'])).get('alma-by-name');
    const recorded = await events.recorded();
    expect(recorded).toMatchObject([
      { class: 'log', event: 'event-recording-begun', caller: {} },
      { class: 'consent', event: 'consent-requested', subjects: [pseudonym] },
      { event: 'consent-granted', caller: { clientId: 'budget-app', subjectPseudonym: pseudonym } },
      {
        class: 'consent',
        event: 'consent-revoked',
        eventId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
        operator: 'operator:mira',
        reason: 'incident 7',
        subjects: [pseudonym],
        details: { consentId: id, clientId: 'budget-app' },
      },
    ]);
    expect(JSON.stringify(await events.recorded())).not.toContain('alma-by-name');
  });

  it('in an entry that verifies, and in the history of the person', async () => {
    await events.relay();
    await revoked('alma');
    await delivered();
    await events.auditLog.sequencer().round();
    expect((await events.auditLog.verify()).findings).toEqual([]);
    const { rows } = await sql`
      select event from audit.record join audit.record_subject using (recorded_at, seq)
      where pseudonym = ${(await events.auditLog.sink.pseudonymsOf(['alma'])).get('alma')}
      order by seq`.execute(events.auditLog.database.db);
    expect(rows.map((row) => (row as { event: string }).event)).toEqual([
      'consent-requested',
      'consent-granted',
      'consent-revoked',
    ]);
  });

  it('once when two authorities share the work', async () => {
    await events.relay();
    await events.relay();
    await Promise.all(Array.from({ length: 40 }, (_, at) => revoked(`person-${at}`)));
    await delivered();
    const ids = (await events.recorded()).map(({ eventId }) => eventId);
    expect(ids).toHaveLength(1 + 40 * 3);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('with its own time when it had to wait', async () => {
    await revoked('alma');
    await sql`update authority.audit_outbox set occurred_at = occurred_at - interval '1 h'`.execute(
      events.db,
    );
    const [row] = await waiting(events.db);
    await events.relay();
    await delivered();
    const [first] = await events.recorded();
    expect(first?.time).toBe(row?.occurred_at.getTime());
    const { rows } = await sql<{ off: boolean }>`select clock_off as off from audit.record`.execute(
      events.auditLog.database.db,
    );
    expect(rows.every(({ off }) => off)).toBe(true);
  });
});

describe('while the audit log is down', () => {
  it('revocations are made, and their events wait and then arrive in order', async () => {
    await events.auditLog.database.setReachable(false);
    await events.relay();
    const ids = [await revoked('alma'), await revoked('noor')];
    await until(() => events.log.codes().includes('AUDIT_EVENTS_WAIT'), 'the authority says so');
    expect(await waiting(events.db)).toHaveLength(7);
    await revoked('vera');
    await events.auditLog.database.setReachable(true);
    await delivered();
    expect(await names()).toEqual([
      'event-recording-begun',
      ...[1, 2, 3].flatMap(() => ['consent-requested', 'consent-granted', 'consent-revoked']),
    ]);
    const revocations = (await events.recorded()).filter(({ event }) => event === 'consent-revoked');
    expect(revocations.map(({ details }) => details?.['consentId']).slice(0, 2)).toEqual(ids);
  });

  it('the authority says so once a minute', async () => {
    await events.auditLog.database.setReachable(false);
    await events.relay();
    const said = () => events.log.of('AUDIT_EVENTS_WAIT');
    await until(() => said().length === 1, 'the first time');
    expect(said()).toEqual([{ reason: expect.any(String) as string, waiting: 1 }]);
    for (let second = 0; second < 50; second += 5) {
      await events.clock.advance(5_000);
      await pause();
    }
    expect(said()).toHaveLength(1);
    await events.clock.advance(15_000);
    await until(() => said().length === 2, 'the second time');
  });

  it('a revocation does not wait for a log that never answers', async () => {
    let answer = (): void => undefined;
    const silence = new Promise<void>((resolve) => (answer = resolve));
    let isAsked = false;
    await events.relay((sink) =>
      around(sink, {
        async append(entry) {
          isAsked = true;
          await silence;
          return sink.append(entry);
        },
      }),
    );
    await until(() => isAsked, 'the relay waits for the log, and holds the rows that it has taken');
    await revoked('alma');
    expect(await names()).toEqual([]);
    answer();
    await delivered();
    expect(await names()).toHaveLength(4);
  });
});

describe('an authority that dies', () => {
  it('between the append and the deletion repeats the event, which its identifier shows', async () => {
    let isFirst = true;
    await events.relay((sink) =>
      around(sink, {
        async append(entry) {
          const receipt = await sink.append(entry);
          // The log has it. The transaction that would delete it ends with its session.
          if (isFirst) await endTakers();
          isFirst = false;
          return receipt;
        },
      }),
    );
    await delivered();
    const recorded = await events.recorded();
    expect(recorded.map(({ event }) => event)).toEqual(['event-recording-begun', 'event-recording-begun']);
    expect(new Set(recorded.map(({ eventId }) => eventId)).size).toBe(1);
  });

  it('before the append loses nothing', async () => {
    await events.relay((sink) =>
      around(sink, {
        append: () => new Promise((_resolve, reject) => setImmediate(reject, new Error('dies'))),
      }),
    );
    await revoked('alma');
    await until(() => events.log.codes().includes('AUDIT_EVENTS_WAIT'), 'it failed');
    await events.endRelays();
    await events.relay();
    await delivered();
    expect(await names()).toHaveLength(4);
  });
});

/** Ends the sessions that have taken rows. */
async function endTakers(): Promise<void> {
  await sql`select pg_terminate_backend(pid) from pg_locks
    where relation = 'authority.audit_outbox'::regclass and mode = 'RowShareLock' and pid <> pg_backend_pid()`.execute(
    events.db,
  );
}

describe('an event that the log refuses', () => {
  it('is counted as lost, on record, and does not hold up the others', async () => {
    await events.relay((sink) =>
      around(sink, {
        append: async (entry) => {
          if ('event' in entry && entry.event === 'consent-granted')
            throw new AuditError('AUDIT_RECORD_REFUSED');
          return sink.append(entry);
        },
      }),
    );
    await revoked('alma');
    await until(async () => (await names()).length === 4, 'the log has the others, and the number');
    const expected = ['consent-requested', 'consent-revoked', 'event-recording-begun', 'events-lost'];
    expect((await names()).sort()).toEqual(expected);
    const lost = (await events.recorded()).find(({ event }) => event === 'events-lost');
    expect(lost).toMatchObject({ class: 'log', details: { count: 1 } });
    expect(events.log.of('AUDIT_EVENT_REFUSED')).toMatchObject([{ event: 'consent-granted' }]);
    expect(events.log.of('AUDIT_EVENTS_LOST')).toEqual([{ count: 1 }]);
  });
});

describe('too many events that wait', () => {
  it('make further ones be counted, while revocations go on, and the log learns how many', async () => {
    const sequence = sql`pg_get_serial_sequence('authority.audit_outbox', 'id')`;
    await sql`select setval(${sequence}, ${MAX_WAITING_EVENTS})`.execute(events.db);
    await recordEvents(events.db, [{ event: 'policy-changed' }]);
    await revoked('alma');
    expect((await waiting(events.db)).map(({ event }) => event)).toEqual(['event-recording-begun']);
    await events.relay();
    await until(async () => (await names()).includes('events-lost'), 'the log has the number');
    expect(await names()).toEqual(['event-recording-begun', 'events-lost']);
    expect((await events.recorded()).at(-1)?.details).toEqual({ count: 4 });
    await revoked('noor');
    await delivered();
    expect(await names()).toHaveLength(5);
  });
});

describe('when no authority passes events on any more', () => {
  async function housekeep(relaysEvents: boolean): Promise<void> {
    const { clock, db, log } = events;
    const housekeeping = new Housekeeping({ db, log, clock, relaysEvents });
    await housekeeping.run();
    await housekeeping.close();
  }

  it('recording ends after ten minutes, on record', async () => {
    await housekeep(false);
    await revoked('alma');
    expect(await waiting(events.db)).toHaveLength(4);
    await sql`update authority.audit_recording set relayed_at = relayed_at - interval '11 min'`.execute(
      events.db,
    );
    await housekeep(true);
    await revoked('noor');
    expect(await waiting(events.db)).toHaveLength(7);
    await housekeep(false);
    await housekeep(false);
    expect(events.log.of('AUDIT_RECORDING_ENDED')).toEqual([{}]);
    await revoked('vera');
    expect(await waiting(events.db)).toHaveLength(8);
    expect((await waiting(events.db)).at(-1)?.event).toBe('event-recording-ended');
    // What waited arrives when one does again.
    await events.relay();
    await until(async () => (await names()).length === 9, 'the log has everything');
    expect((await names()).slice(-2)).toEqual(['event-recording-ended', 'event-recording-begun']);
  });

  it('does not end while one does', async () => {
    await events.relay();
    await events.clock.advance(61_000);
    await sql`update authority.audit_recording set relayed_at = relayed_at - interval '11 min'`.execute(
      events.db,
    );
    await events.clock.advance(61_000);
    await until(async () => !(await isStale()), 'the relay was heard of again');
    expect(await endUnrelayedRecording(events.db)).toBe(false);
  });

  async function isStale(): Promise<boolean> {
    const { rows } = await sql`select from authority.audit_recording
      where relayed_at < clock_timestamp() - interval '10 min'`.execute(events.db);
    return rows.length > 0;
  }
});

it('a request of a gateway gives its event the transaction, the trace and the caller', async () => {
  await events.relay();
  const register = new ConsentRegister(events.db);
  const { id } = await register.grant(consentTerms('alma'));
  const request = {
    transactionId: randomUUID(),
    traceId: randomBytes(16).toString('hex'),
    caller: {
      subject: 'admin-iris',
      clientId: 'bank-console',
      actor: 'proxy-app',
      consentId: 'c',
      consentVersion: 3,
      purposes: ['administration'],
    },
  };
  await register.revokeConsent(id, { by: 'admin-iris', initiator: 'admin', request });
  await delivered();
  const pseudonyms = await events.auditLog.sink.pseudonymsOf(['admin-iris', 'alma']);
  const last = (await events.recorded()).at(-1);
  const { subject, ...caller } = request.caller;
  expect(last).toMatchObject({
    event: 'consent-revoked',
    transactionId: request.transactionId,
    traceId: request.traceId,
    caller: { ...caller, subjectPseudonym: pseudonyms.get(subject) },
    subjects: [pseudonyms.get('alma')],
  });
  expect(last?.operator).toBeUndefined();
  expect(JSON.stringify(await events.recorded())).not.toContain('admin-iris');
});
