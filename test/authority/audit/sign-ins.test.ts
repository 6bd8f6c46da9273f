import { randomBytes } from 'node:crypto';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { AuditEvent } from '@behalf/audit';
import { RECORDED_FAILURES, SignInEvents } from '../../../authority/accounts/sign-in-events.js';
import { beginRecording } from '../../../authority/audit/recording.js';
import type { AuthoritySchema } from '../../../authority/internal.js';
import { TestLog as TestAuditLog } from '../../audit/log/support.js';
import { createAuthorityDatabase } from '../../support/authority-database.js';
import type { TestDatabase } from '../../support/database.js';
import { ManualClock } from '../../support/manual-clock.js';
import { BrowserlessPerson } from '../../support/person.js';
import { until } from '../../support/wait.js';
import { authorizationRequest, discover, startTestAuthority, type TestAuthority } from '../setup.js';
import { openSignIn, submitSignIn } from '../sign-in-setup.js';
import { readLog, waiting } from './support.js';

const ALMA = 'c-000001';
const DAY_MS = 86_400_000;

describe('a sign-in at a running authority', () => {
  let auditLog: TestAuditLog;
  let authority: TestAuthority;
  beforeAll(async () => {
    auditLog = await TestAuditLog.create(`sign_ins_${randomBytes(6).toString('hex')}`);
    authority = await startTestAuthority({ proxies: ['127.0.0.1'], audit: { database: auditLog.writerUrl } });
  });
  afterAll(async () => {
    await authority.close();
    await auditLog.drop();
  });

  async function guess(user: string, address: string, password = 'guessed-password'): Promise<number> {
    const page = await openSignIn(authority, address);
    return (await submitSignIn(authority, page, { user, password }, { 'x-forwarded-for': address })).status;
  }

  async function of(name: AuditEvent['event']): Promise<AuditEvent[]> {
    await until(async () => (await waiting(authority.database.db)).length === 0, 'the log has every event');
    return (await readLog(auditLog)).filter(({ event }) => event === name);
  }

  it('is recorded with its person, application and network, and so is its end', async () => {
    const person = new BrowserlessPerson();
    const client = await discover(authority);
    const { url } = await authorizationRequest(client, 'accounts:read');
    await person.follow(url, { user: 'alma', password: 'alma-demo' });
    await person.signOut(authority.issuer);
    const pseudonym = (await auditLog.sink.pseudonymsOf([ALMA])).get(ALMA);
    expect(await of('signed-in')).toMatchObject([
      {
        class: 'security',
        caller: { subjectPseudonym: pseudonym, clientId: 'budget-app' },
        details: { source: '127.0.0.0/24' },
      },
    ]);
    expect(await of('signed-out')).toMatchObject([
      { caller: { subjectPseudonym: pseudonym }, subjects: [pseudonym] },
    ]);
    expect(await of('consent-granted')).toHaveLength(1);
  });

  it('that fails is recorded with the person whose name was typed, if there is one', async () => {
    expect(await guess('alma', '203.0.113.7')).toBe(401);
    expect(await guess('nobody-of-this-name', '198.51.100.7')).toBe(401);
    const pseudonym = (await auditLog.sink.pseudonymsOf([ALMA])).get(ALMA);
    const [known, unknown, ...others] = await of('sign-in-failed');
    expect(others).toEqual([]);
    expect(known).toMatchObject({
      caller: { clientId: 'budget-app' },
      subjects: [pseudonym],
      details: { cause: 'wrong-password', source: '203.0.113.0/24' },
    });
    expect(known?.caller.subjectPseudonym).toBeUndefined();
    expect(unknown).toMatchObject({ details: { source: '198.51.100.0/24' } });
    expect(unknown?.subjects).toBeUndefined();
  });

  it('attack: guesses for one name from many networks leave five records, and a number', async () => {
    await authority.restart();
    const before = (await of('sign-in-failed')).length;
    const statuses: number[] = [];
    for (let at = 0; at < 14; at++) statuses.push(await guess('iris', `198.51.${at}.1`));
    // The password was not even checked.
    const throttled = statuses.filter((status) => status === 429).length;
    expect(throttled).toBeGreaterThan(0);
    expect(await of('sign-in-failed')).toHaveLength(before + RECORDED_FAILURES.name.burst);
    await authority.restart();
    const recorded = (await of('sign-in-failures-counted')).at(-1);
    const failed = statuses.length - throttled - RECORDED_FAILURES.name.burst;
    expect(recorded?.details).toMatchObject({ failed, throttled });
  });

  it('leaves nothing that somebody typed, and no name of a person, in the log', async () => {
    await guess('alma', '203.0.113.8', 'secret-typed-as-password');
    await guess('secret-typed-as-name', '203.0.113.9');
    await of('sign-in-failed');
    const text = JSON.stringify(await readLog(auditLog));
    for (const typed of ['alma', ALMA, 'iris', 'nobody-of', 'guessed-', 'secret-typed']) {
      expect(text).not.toContain(typed);
    }
  });
});

describe('failed sign-ins', () => {
  let database: TestDatabase<AuthoritySchema>;
  let clock: ManualClock;
  let signIns: SignInEvents;
  beforeEach(async () => {
    database = await createAuthorityDatabase();
    await beginRecording(database.db);
    clock = new ManualClock();
    signIns = new SignInEvents({ db: database.db, clock });
  });
  afterEach(async () => {
    await signIns.close();
    await database.drop();
  });

  async function fail(name: string, network: string): Promise<void> {
    const origin = { clientId: 'budget-app', source: undefined };
    await signIns.failed({ ...origin, name, network, claimed: undefined, cause: 'wrong-password' });
  }

  async function count(name: string): Promise<number> {
    return (await waiting(database.db)).filter(({ event }) => event === name).length;
  }

  async function counted(): Promise<number> {
    const rows = (await waiting(database.db)).filter(({ event }) => event === 'sign-in-failures-counted');
    return rows.reduce((sum, { details }) => sum + Number(details?.['failed']), 0);
  }

  it('attack: an anonymous caller with any number of networks and names cannot fill the log', async () => {
    const rounds = 60;
    for (let round = 0; round < rounds; round++) {
      for (let at = 0; at < 40; at++) await fail(`name-${round}-${at}`, `network-${round}-${at}`);
      await clock.advance(60_000);
      await until(
        async () => (await counted()) + (await count('sign-in-failed')) === (round + 1) * 40,
        'counted',
      );
    }
    const { total } = RECORDED_FAILURES;
    const atMost = total.burst + Math.ceil((rounds * 60_000) / total.everyMs);
    expect(await count('sign-in-failed')).toBeLessThanOrEqual(atMost);
    expect(await count('sign-in-failures-counted')).toBeLessThanOrEqual(rounds);
    // What the documentation says: less than 11,000 a day for one instance, whoever tries.
    expect(total.burst + DAY_MS / total.everyMs + DAY_MS / 60_000).toBeLessThan(11_000);
  });

  it('from one network are recorded five times, whatever names are typed', async () => {
    for (let at = 0; at < 20; at++) await fail(`name-${at}`, 'one-network');
    expect(await count('sign-in-failed')).toBe(5);
  });

  it('that cannot be recorded are counted on', async () => {
    for (let at = 0; at < 7; at++) await fail('iris', `network-${at}`);
    signIns.countThrottled();
    await database.setReachable(false);
    await signIns.close();
    await database.setReachable(true);
    signIns.countThrottled();
    await signIns.close();
    const last = (await waiting(database.db)).at(-1);
    expect(last?.event).toBe('sign-in-failures-counted');
    expect(last?.details).toEqual({ failed: 2, throttled: 2, since: expect.any(Number) as number });
  });
});
