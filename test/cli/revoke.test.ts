import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ConsentRegister } from '../../authority/internal.js';
import type { AuthoritySchema } from '../../authority/internal.js';
import type { Revocable } from '../../cli/actions/revoke.js';
import { revoke as revokeAction } from '../../cli/actions/revoke.js';
import { changeSuspension, listSuspensions } from '../../cli/actions/suspend.js';
import type { SuspendOptions } from '../../cli/actions/suspend.js';
import { createAuthorityDatabase } from '../support/authority-database.js';
import type { TestDatabase } from '../support/database.js';
import { behalf } from './support.js';
import { consentTerms } from '../support/consent-terms.js';

let database: TestDatabase<AuthoritySchema>;
let register: ConsentRegister;
beforeAll(async () => {
  database = await createAuthorityDatabase();
  register = new ConsentRegister(database.db);
});
afterAll(() => database.drop());

async function grant(subject: string): Promise<string> {
  const { id } = await register.grant(consentTerms(subject));
  return id;
}

/** Neither authority nor gateway runs. */
async function revoke(kind: Revocable, id: string, more: { reason?: string; wait?: boolean } = {}) {
  const printed: string[] = [];
  const options = { databaseUrl: database.url, kind, id, reason: 'phone was stolen', wait: false, ...more };
  const exit = await revokeAction(options, (line) => void printed.push(line));
  return { exit, printed };
}

async function stop(action: SuspendOptions['action'], kind: SuspendOptions['kind'], name?: string) {
  const printed: string[] = [];
  const options = { databaseUrl: database.url, action, kind, name, reason: 'gone rogue', wait: true };
  const exit = await changeSuspension(options, (line) => void printed.push(line));
  return { exit, printed };
}

async function changes() {
  return database.db.selectFrom('authority.change_event').selectAll().orderBy('seq').execute();
}

describe('behalf revoke', () => {
  it('ends a consent once, and records who and why', async () => {
    const id = await grant('alma');
    expect(await revoke('consent', id)).toEqual({
      exit: 0,
      printed: [`consent ${id}: ended`, `  ended consent ${id} of alma for budget-app`],
    });
    expect(await revoke('consent', id)).toEqual({ exit: 0, printed: [`consent ${id}: had ended before`] });
    expect(await register.find(id)).toMatchObject({ status: 'revoked', endedReason: 'phone was stolen' });
    expect((await changes()).at(-1)).toMatchObject({
      entity_id: expect.stringMatching(/^operator:/) as string,
      reason: 'phone was stolen',
    });
  });

  it.each([
    ['token', { tokenId: 'x-1' }],
    ['session', { sessionId: 'x-1' }],
    ['client', { clientId: 'x-1' }],
    ['subject', { subject: 'x-1' }],
  ] as const)('announces a %s', async (kind, members) => {
    await revoke(kind, 'x-1');
    expect((await changes()).at(-1)).toMatchObject({ members });
  });

  it('exits with 1 for an unknown identifier, and announces it anyway', async () => {
    expect(await revoke('consent', 'no-such')).toEqual({
      exit: 1,
      printed: ['consent no-such: UNKNOWN: nothing was ended'],
    });
    const { exit, printed } = await revoke('client', 'budgetapp');
    expect(exit).toBe(1);
    expect(printed[0]).toContain('announced to the gateways');
  });
});

describe('the commands', () => {
  it.each([
    [0, ['suspend', 'client', 'budget-app', '--reason', 'x', '--wait'], 'client budget-app'],
    [0, ['resume', 'client', 'budget-app', '--reason', 'x'], 'resumed'],
    [0, ['suspensions'], 'nothing is suspended'],
    [1, ['revoke', 'consent', 'no-such', '--reason', 'x'], 'UNKNOWN'],
    [2, ['revoke', 'consent', 'x'], ''],
    [2, ['revoke', 'person', 'x', '--reason', 'x'], ''],
    [2, ['revoke', 'consent', 'x', '--reason', ' '], ''],
    [2, ['suspend', 'everything', '--reason', ''], ''],
    [2, ['suspend', 'everything', 'x', '--reason', 'x'], ''],
  ])('exit with %i: %j', async (code, args, says) => {
    await grant('somebody');
    const ended = await behalf(args, '', { DATABASE_URL: database.url });
    expect(ended).toMatchObject({ code, stdout: expect.stringContaining(says) as string });
    expect(ended.stderr === '').toBe(code !== 2);
  });
});

describe('behalf suspend and resume', () => {
  it('suspend, resume, and list what is suspended', async () => {
    await grant('noor');
    expect((await stop('suspend', 'client', 'budget-app')).printed[0]).toBe('client budget-app: suspended');
    expect((await stop('suspend', 'everything')).exit).toBe(0);
    expect((await stop('suspend', 'everything')).printed[0]).toBe('everything: was already suspended');
    const listed: string[] = [];
    await listSuspensions(database.url, (line) => void listed.push(line));
    expect(listed.map((line) => line.split(':')[0])).toEqual(['client budget-app', 'everything']);
    expect((await stop('resume', 'everything')).printed[0]).toBe('everything: resumed');
    expect((await stop('resume', 'client', 'budget-app')).exit).toBe(0);
    expect((await stop('resume', 'scope', 'never:was')).exit).toBe(1);
    const nothing: string[] = [];
    await listSuspensions(database.url, (line) => void nothing.push(line));
    expect(nothing).toEqual(['nothing is suspended']);
  });

  it('need a name for a client or scope, and none for everything', async () => {
    await expect(stop('suspend', 'client')).rejects.toMatchObject({ code: 'USAGE' });
    await expect(stop('suspend', 'everything', 'x')).rejects.toMatchObject({ code: 'USAGE' });
  });
});
