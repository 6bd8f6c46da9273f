import { decodeJwt } from 'jose';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { contactOf } from '../../authority/pages/contact.js';
import { verifyConsents } from '../../authority/internal.js';
import { checkPolicy } from '../../policy/index.js';
import { BrowserlessPerson, type PersonsWill } from '../support/person.js';
import {
  authorizationRequest,
  discover,
  exchange,
  POLICY_FILE,
  startTestAuthority,
  type TestAuthority,
  withPolicy,
} from './setup.js';

const ALMA = { subject: 'c-000001', user: 'alma', password: 'alma-demo' };
const NOOR = { subject: 'c-000002', user: 'noor', password: 'noor-demo' };
const HOUR = 3_600;

const { clients, purposes } = POLICY_FILE;
const POLICY = checkPolicy({
  ...POLICY_FILE,
  clients: { ...clients, planner: clients['budget-app'] },
  longestConsent: { sensitive: 'PT2H', personal: 'P30D' },
});
const WITH_CREDIT = checkPolicy({
  ...POLICY_FILE,
  purposes: { ...purposes, credit: { sentence: 'To see whether you can be lent money' } },
  clients: { ...clients, 'budget-app': { ...clients['budget-app'], purposes: ['budgeting', 'credit'] } },
});

let authority: TestAuthority;
beforeAll(async () => {
  authority = await startTestAuthority({
    ...withPolicy(POLICY),
    clients: [
      {
        clientId: 'planner',
        displayName: 'Planner',
        redirectUris: ['http://127.0.0.1/callback'],
        oauth: { authorizationDetailsTypes: ['behalf_access'] },
      },
    ],
    durations: [
      { seconds: HOUR, label: '1 hour' },
      { seconds: 24 * HOUR, label: '1 day' },
    ],
    defaultDurationSeconds: HOUR,
  });
});
afterAll(() => authority.close());

type Who = typeof ALMA;

/** What a person saw during an authorization request, and what the application got. */
async function go(
  who: Who,
  scope: string,
  will: Partial<PersonsWill> = {},
  person = new BrowserlessPerson(),
) {
  const client = await discover(authority);
  const request = await authorizationRequest(client, scope, {});
  const { callbackUrl, pages } = await person.follow(request.url, { ...who, ...will });
  const page = pages.findLast(({ markup }) => markup.includes('name="shown"'))?.markup;
  const error = callbackUrl.searchParams.get('error');
  const tokens = error === null ? await exchange(client, callbackUrl, request) : undefined;
  const claims = decodeJwt<{ scope?: string; consent: { id: string; version: number; purposes: string[] } }>(
    tokens?.access_token ?? 'e30.e30.',
  );
  return { client, page, error, claims, refreshToken: tokens?.refresh_token ?? '' };
}

/** Parses a page independently of the authority's code. */
function read(markup: string): string {
  const main = /<main>([\s\S]*)<\/main>/.exec(markup)?.[1] ?? '';
  return main
    .replace(/<[^>]*>/g, ' ')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, '&')
    .replace(/\s+/g, ' ')
    .trim();
}

/** The text in the rows of new and of present permissions. */
function groups(page: string = ''): { fresh: string[]; known: string[] } {
  const sets = [...page.matchAll(/<fieldset>\s*<legend>([\s\S]*?)<\/legend>([\s\S]*?)<\/fieldset>/g)];
  const names = (isFresh: boolean): string[] =>
    sets
      .filter(([, legend = '']) => legend.startsWith('New: ') === isFresh)
      .flatMap(([, , content = '']) => [...content.matchAll(/name="scope"\s+value="([^"]*)"/g)])
      .map(([, name = '']) => name);
  return { fresh: names(true), known: names(false) };
}

async function events(consentId: string) {
  return authority.database.db
    .selectFrom('authority.consent_event')
    .select(['event_type', 'privacy_notice', 'policy_version'])
    .where('record_id', '=', consentId)
    .orderBy('event_id')
    .execute();
}

describe('the words on record', () => {
  it('are exactly those of the page', async () => {
    const { claims, page = '' } = await go(ALMA, 'accounts:read transactions:read', {
      deny: ['transactions:read'],
    });
    const granted = (await events(claims.consent.id)).at(-1);
    const notice = granted?.privacy_notice;
    expect(notice?.text?.replace(/\s+/g, ' ')).toBe(read(page));
    // In particular these, as the person saw them: neither escaped nor shortened.
    for (const words of [
      'Pocket Budget asks for access to your data',
      'Pocket Budget is run by Pocket Budget Ltd. Questions: privacy@pocket-budget.example',
      'See what you paid & received',
      'Sensitive: in the wrong hands this can do you harm.',
      'To plan your budget',
      'You can take this back at any time; it ends at once then.',
    ]) {
      expect(read(page)).toContain(words);
    }
    expect(notice).toMatchObject({ owner: 'Pocket Budget Ltd', duration: '1 hour', detail: 'Full detail' });
    expect(notice?.scopes.map(({ name, granted: isGranted }) => [name, isGranted])).toEqual([
      ['accounts:read', true],
      ['transactions:read', false],
    ]);
    expect(granted?.policy_version).toMatch(/^sha-256:[\w-]{43}$/);
  });

  it('are stored per page', async () => {
    const { claims, page = '' } = await go(ALMA, 'profile:read');
    const extended = (await events(claims.consent.id)).at(-1);
    expect(extended?.event_type).toBe('extended');
    expect(extended?.privacy_notice?.text?.replace(/\s+/g, ' ')).toBe(read(page));
  });

  it('must match: a form shown with other words grants nothing', async () => {
    const before = await authority.consents.findActive(ALMA.subject, 'budget-app');
    const client = await discover(authority);
    const { url } = await authorizationRequest(client, 'payments:write');
    // Between reading and deciding, the agreement shown on the page changes.
    const meanwhile = async (): Promise<void> => {
      await authority.consents.narrow(before?.id ?? '', { by: ALMA.subject, removeScopes: ['profile:read'] });
    };
    const attempt = new BrowserlessPerson().follow(url, { ...ALMA, beforeDeciding: meanwhile });
    await expect(attempt).rejects.toThrow('This page has changed since you opened it');
    const after = await authority.consents.findActive(ALMA.subject, 'budget-app');
    expect(after?.scopes).toEqual(['accounts:read']);
  });
});

describe('an application that asks for more', () => {
  it('asks again about new and present scopes; allowing ends nothing', async () => {
    await authority.consents.revokeClient('budget-app', { by: 'x', initiator: 'admin' });
    const first = await go(NOOR, 'accounts:read', { duration: 24 * HOUR });
    expect(groups(first.page)).toEqual({ fresh: [], known: ['accounts:read'] });
    const standing = await authority.consents.find(first.claims.consent.id);
    const changesBefore = await changeCount();

    const second = await go(NOOR, 'profile:read');
    expect(groups(second.page)).toEqual({ fresh: ['profile:read'], known: ['accounts:read'] });
    expect(read(second.page ?? '')).toContain('Pocket Budget asks for more');
    expect(read(second.page ?? '')).toContain('New See your name');
    expect(second.claims.consent).toMatchObject({ id: standing?.id, version: 2 });
    expect(await authority.consents.find(standing?.id ?? '')).toMatchObject({
      status: 'active',
      scopes: ['profile:read', 'accounts:read'],
      until: standing?.until,
    });
    expect(await changeCount()).toBe(changesBefore);
    const { access_token: token } = await oidc.refreshTokenGrant(first.client, first.refreshToken);
    expect(decodeJwt(token).scope).toBe('accounts:read');
  });

  it('leaves everything unchanged if declined', async () => {
    const before = await authority.consents.findActive(NOOR.subject, 'budget-app');
    const both = await go(NOOR, 'accounts:read payments:write', { decide: 'keep' });
    expect(groups(both.page).fresh).toEqual(['payments:write']);
    expect(both.claims.scope).toBe('accounts:read');
    const only = await go(NOOR, 'payments:write', { decide: 'keep' });
    expect(only.error).toBe('access_denied');
    const outright = await go(NOOR, 'payments:write', { decide: 'refuse' });
    expect(outright.error).toBe('access_denied');
    expect(await authority.consents.findActive(NOOR.subject, 'budget-app')).toEqual(before);
  });

  it('cannot exceed the policy’s duration: the agreed end is then no choice', async () => {
    // Payments are sensitive and limited to two hours; the present consent ends in a day.
    const { page = '', claims } = await go(NOOR, 'payments:write');
    expect(page).not.toContain('Unchanged');
    expect([...page.matchAll(/<option value="([^"]*)"/g)].map(([, value]) => value)).toEqual([String(HOUR)]);
    const consent = await authority.consents.find(claims.consent.id);
    expect((consent?.until.getTime() ?? Infinity) - Date.now()).toBeLessThanOrEqual(HOUR * 1_000);
  });

  it('is ticked only by the person (CJEU C-673/17)', async () => {
    await authority.consents.revokeClient('budget-app', { by: 'x', initiator: 'admin' });
    await go(NOOR, 'accounts:read profile:read', { deny: ['profile:read'] });
    expect((await go(NOOR, 'accounts:read profile:read')).page).toBeUndefined();
    const { page = '' } = await go(NOOR, 'payments:write profile:read', { decide: 'keep' });
    const ticked = [...page.matchAll(/value="([\w:]+)"\s+checked/g)].map(([, name]) => name);
    expect(ticked.filter((name) => name?.includes(':'))).toEqual(['accounts:read']);
    expect(read(page)).toContain('See your name You said no to this before.');
    expect(read(page)).not.toContain('New See your name');
    expect(groups(page)).toEqual({ fresh: ['payments:write'], known: ['profile:read', 'accounts:read'] });
  });
});

describe('rfc9396: an application that asks for an access in detail', () => {
  it('keeps the present agreement in what the request omits', async () => {
    const planner = await discover(authority, 'planner');
    const person = new BrowserlessPerson();
    await person.follow((await authorizationRequest(planner, 'accounts:read')).url, ALMA);
    const access = { type: 'behalf_access', scopes: ['profile:read'], purposes: ['budgeting'] };
    const more = { authorization_details: JSON.stringify([access]) };
    const { pages } = await person.follow((await authorizationRequest(planner, '', more)).url, ALMA);
    expect(groups(pages.at(-1)?.markup)).toEqual({ fresh: ['profile:read'], known: ['accounts:read'] });
    expect(await authority.consents.findActive(ALMA.subject, 'planner')).toMatchObject({
      version: 2,
      scopes: ['profile:read', 'accounts:read'],
      purposes: ['budgeting'],
    });
  });
});

describe('a purpose that is new', () => {
  it('can be refused by itself, and is then not asked about again', async () => {
    await authority.consents.revokeClient('budget-app', { by: 'x', initiator: 'admin' });
    const first = await go(ALMA, 'accounts:read');
    expect(first.claims.consent.purposes).toEqual(['budgeting']);
    await authority.restart(withPolicy(WITH_CREDIT));

    const asked = await go(ALMA, 'accounts:read', { denyPurposes: ['credit'] });
    expect(read(asked.page ?? '')).toContain('New To see whether you can be lent money');
    expect(read(asked.page ?? '')).not.toContain('New To plan your budget');
    expect(asked.claims.consent).toMatchObject({ id: first.claims.consent.id, purposes: ['budgeting'] });
    expect((await go(ALMA, 'accounts:read')).page).toBeUndefined();

    const nothing = go(ALMA, 'profile:read', { denyPurposes: ['budgeting', 'credit'] });
    await expect(nothing).rejects.toThrow('Tick at least one of the purposes');
    await authority.restart();
  });

  it('corrected words ask nobody again', async () => {
    const mended = checkPolicy({
      ...POLICY_FILE,
      purposes: { ...purposes, budgeting: { sentence: 'To plan your budget with you' } },
    });
    await authority.restart(withPolicy(mended));
    expect((await go(ALMA, 'accounts:read')).page).toBeUndefined();
    await authority.restart();
  });
});

describe('a person who decides again', () => {
  it('gets a new consent by removing something, and old tokens end', async () => {
    await authority.consents.revokeClient('budget-app', { by: 'x', initiator: 'admin' });
    const broad = await go(ALMA, 'accounts:read profile:read');
    const narrow = await go(ALMA, 'accounts:read payments:write', {
      deny: ['profile:read', 'payments:write'],
    });
    expect(narrow.claims.consent.id).not.toBe(broad.claims.consent.id);
    expect(await authority.consents.find(broad.claims.consent.id)).toMatchObject({ status: 'replaced' });
    await expect(oidc.refreshTokenGrant(broad.client, broad.refreshToken)).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    expect(await authority.consents.findActive(ALMA.subject, 'budget-app')).toMatchObject({
      scopes: ['accounts:read'],
      declined: ['profile:read', 'payments:write'],
    });
  });

  it('is not asked again after narrowing the consent elsewhere', async () => {
    await authority.consents.revokeClient('budget-app', { by: 'x', initiator: 'admin' });
    const person = new BrowserlessPerson();
    const broad = await go(ALMA, 'accounts:read profile:read', {}, person);
    const { consent } = await authority.consents.narrow(broad.claims.consent.id, {
      by: ALMA.subject,
      removeScopes: ['profile:read'],
    });
    await expect(oidc.refreshTokenGrant(broad.client, broad.refreshToken)).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    const again = await go(ALMA, 'accounts:read profile:read', {}, person);
    expect(again.page).toBeUndefined();
    expect(again.claims).toMatchObject({ scope: 'accounts:read', consent: { id: consent?.id } });
    expect((await verifyConsents(authority.database.db)).differences).toEqual([]);
  });
});

it.each([
  ['mailto:a@b.example', '<a href="mailto:a@b.example" rel="noreferrer">a@b.example</a>'],
  ['https://a.example/help', '<a href="https://a.example/help" rel="noreferrer">https://a.example/help</a>'],
  ['javascript:alert(1)', 'javascript:alert(1)'],
  ['data:text/html,<script>', 'data:text/html,&lt;script&gt;'],
  ['ask us', 'ask us'],
])('the contact %s is a link only if it runs no code', (contact, markup) => {
  expect(contactOf(contact).text).toBe(markup);
});

async function changeCount(): Promise<number> {
  const changes = await authority.database.db.selectFrom('authority.change_event').select('seq').execute();
  return changes.length;
}
