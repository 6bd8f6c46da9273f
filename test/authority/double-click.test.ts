import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { checkPolicy } from '../../policy/index.js';
import { launchBrowser } from '../support/browser.js';
import { Cleanup } from '../support/cleanup.js';
import { until } from '../support/wait.js';
import { type CallbackApplication, startApplication } from './callback-application.js';
import { ALMA } from './oauth-setup.js';
import { POLICY_FILE, startTestAuthority, type TestAuthority, withPolicy } from './setup.js';

const cleanup = new Cleanup();
let authority: TestAuthority;
let browser: Browser;
let application: CallbackApplication;
let nextApp = 0;

// One application for each page: a person is not asked again by an application that they have answered.
const appNames = Array.from({ length: 12 }, (_, index) => `app-${index}`);

beforeAll(async () => {
  browser = await launchBrowser();
  cleanup.add(() => browser.close());
  application = await startApplication('127.0.0.1', (request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' }).end(request.url);
  });
  cleanup.add(() => application.close());
  const { clients } = POLICY_FILE;
  authority = await startTestAuthority({
    ...withPolicy(checkPolicy({ ...POLICY_FILE, clients: { ...clients, '*': clients['budget-app'] } })),
    clients: appNames.map((clientId) => ({
      clientId,
      displayName: 'Planner',
      redirectUris: ['http://127.0.0.1/callback'],
    })),
  });
  cleanup.add(() => authority.close());
});
afterAll(() => cleanup.run());

/** Signs in, and is asked. */
async function openConsent(): Promise<{ page: Page; context: BrowserContext; clientId: string }> {
  const clientId = appNames[nextApp] ?? '';
  nextApp += 1;
  const context = await browser.newContext();
  cleanup.add(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(25_000);
  const query = new URLSearchParams({
    client_id: clientId,
    response_type: 'code',
    scope: 'accounts:read profile:read',
    redirect_uri: `${application.origin}/callback`,
    state: 'state',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
  });
  await page.goto(`${authority.issuer}/auth?${query.toString()}`);
  await page.getByLabel('User name').fill(ALMA.user);
  await page.getByLabel('Password').fill(ALMA.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Allow' }).waitFor();
  return { page, context, clientId };
}

const eventsOf = (clientId: string) =>
  authority.database.db
    .selectFrom('authority.consent_event')
    .select('event_type')
    .where('client_id', '=', clientId)
    .orderBy('event_id')
    .execute();

/** The form as it would be sent with this button, and these boxes ticked. */
async function readForm(page: Page, decision: string, scopes: readonly string[]): Promise<string> {
  const fields = await page.evaluate<[string, string][]>('[...new FormData(document.forms[0])]');
  const form = new URLSearchParams(fields.filter(([name]) => name !== 'scope'));
  for (const scope of scopes) form.append('scope', scope);
  form.set('do', decision);
  return form.toString();
}

async function send({ page, context }: { page: Page; context: BrowserContext }, data: string) {
  const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' };
  const answer = await context.request.post(page.url(), { data, headers, maxRedirects: 0 });
  return { status: answer.status(), location: answer.headers()['location'] };
}

/** The browser gives up the first click's navigation when the second one comes: its answer is on the way, and never shown. */
async function dropFirstAnswer(page: Page): Promise<{ readonly answered: number }> {
  const sent = { posts: 0, answered: 0 };
  await page.route('**', async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    sent.posts += 1;
    if (sent.posts > 1) return route.continue();
    await route.fetch({ maxRedirects: 0 });
    sent.answered += 1;
    await until(() => sent.posts > 1, 'the second click');
    await route.abort().catch(() => undefined);
  });
  return sent;
}

describe('a double click in Chromium', () => {
  it.each([
    ['Allow', 'code='],
    ['Refuse', 'error=access_denied'],
  ])('on "%s" brings the person back to the application', async (name, expected) => {
    const { page, clientId } = await openConsent();
    if (name === 'Allow') await page.getByLabel('See your accounts').check();
    const box = await page.getByRole('button', { name }).boundingBox();
    if (box === null) throw new Error('there is no button');
    const [x, y] = [box.x + 5, box.y + 5];
    const sent = await dropFirstAnswer(page);
    await page.mouse.click(x, y);
    await until(() => sent.answered === 1, 'the first click is answered');
    await page.mouse.click(x, y);
    // The first click's navigation is given up, which `waitForURL` takes for a failure.
    await until(() => page.url().startsWith(application.origin), 'the person is back');
    expect(page.url()).toContain(expected);
    const events = (await eventsOf(clientId)).map(({ event_type: type }) => type);
    expect(events).toEqual(name === 'Allow' ? ['requested', 'granted'] : []);
  });
});

describe('the same decision', () => {
  it.each([
    ['allow', ['accounts:read']],
    ['allow', ['accounts:read', 'profile:read']],
    ['refuse', []],
  ])('to %s, sent twice or three times, is answered alike', async (decision, scopes) => {
    const opened = await openConsent();
    const form = await readForm(opened.page, decision, scopes);
    const first = await send(opened, form);
    expect(first).toEqual({ status: 303, location: expect.stringMatching(/^\/auth\/[\w-]+$/) as string });
    expect(await send(opened, form)).toEqual(first);
    expect(await send(opened, form)).toEqual(first);
    const events = (await eventsOf(opened.clientId)).map(({ event_type: type }) => type);
    expect(events).toEqual(decision === 'allow' ? ['requested', 'granted'] : []);
  });

  it.each([
    ['allow', ['accounts:read'], ['requested', 'granted']],
    ['refuse', [], []],
  ])('to %s, sent several times at once, is answered alike', async (decision, scopes, types) => {
    const opened = await openConsent();
    const form = await readForm(opened.page, decision, scopes);
    const answers = await Promise.all(Array.from({ length: 4 }, () => send(opened, form)));
    expect(new Set(answers.map(({ location, status }) => `${status} ${location ?? ''}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(303);
    const events = (await eventsOf(opened.clientId)).map(({ event_type: type }) => type);
    expect(events).toEqual(types);
  });
});

describe('another decision on a page that has changed', () => {
  it.each<[string, (form: URLSearchParams) => void]>([
    ['more scopes', (form) => form.append('scope', 'profile:read')],
    ['other scopes', (form) => form.set('scope', 'profile:read')],
    ['no scopes', (form) => form.delete('scope')],
    ['another end', (form) => form.set('duration', '1')],
    ['words that were not shown', (form) => form.set('shown', 'x')],
  ])('is not the first one: %s', async (_what, change) => {
    const opened = await openConsent();
    const text = await readForm(opened.page, 'allow', ['accounts:read']);
    expect((await send(opened, text)).status).toBe(303);
    const form = new URLSearchParams(text);
    change(form);
    expect((await send(opened, form.toString())).status).toBe(400);
    const events = (await eventsOf(opened.clientId)).map(({ event_type: type }) => type);
    expect(events).toEqual(['requested', 'granted']);
  });
});
