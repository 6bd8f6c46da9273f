import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { projectPath } from '@behalf/example/internal';
import { MESSAGES } from '../../../authority/pages/messages/index.js';
import { readPolicy } from '../../../policy/index.js';
import { launchBrowser } from '../../support/browser.js';
import { Cleanup } from '../../support/cleanup.js';
import { ALMA, NOOR } from '../oauth-setup.js';
import { REDIRECT_URI, startTestAuthority, type TestAuthority, withPolicy } from '../setup.js';

// The example's pages in each language, as Chromium lays them out: longer words need more room.

let authority: TestAuthority;
let browser: Browser;
const cleanup = new Cleanup();

beforeAll(async () => {
  browser = await launchBrowser();
  cleanup.add(() => browser.close());
  authority = await startTestAuthority({
    ...withPolicy(await readPolicy(projectPath('policy.yaml'))),
    translationFiles: [projectPath('policy.de.yaml')],
  });
  cleanup.add(() => authority.close());
});
afterAll(() => cleanup.run());

function ask(page: Page, scope: string, prompt: string): Promise<unknown> {
  const query = new URLSearchParams({
    client_id: 'budget-app',
    response_type: 'code',
    redirect_uri: REDIRECT_URI,
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    scope,
    prompt,
  });
  return page.goto(`${authority.issuer}/auth?${query.toString()}`);
}

async function signIn(page: Page, { password, user }: typeof ALMA): Promise<void> {
  await page.locator('[name=username]').fill(user);
  await page.locator('[name=password]').fill(password);
  await page.locator('button.main').click();
}

it.each([
  ['de', 360, 'dark'],
  ['en', 360, 'light'],
  ['de', 1280, 'light'],
] as const)('the pages in %s fit on a screen of %i pixels', async (tag, width, colorScheme) => {
  const context = await browser.newContext({ viewport: { width, height: 740 }, colorScheme, locale: tag });
  await context.route(`${new URL(REDIRECT_URI).origin}/**`, (route) => route.fulfill({ status: 204 }));
  const page = await context.newPage();
  const words = MESSAGES[tag];
  const look = async (heading: string): Promise<void> => {
    await page.getByRole('heading', { name: heading, level: 1, exact: true }).waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe(tag);
    const tooWide = 'document.documentElement.scrollWidth > document.documentElement.clientWidth';
    expect([heading, await page.evaluate<boolean>(tooWide)]).toEqual([heading, false]);
  };
  await authority.consents.revokeClient('budget-app', { by: 'x', initiator: 'admin' });

  await ask(page, 'profile:read payments:write', 'login consent');
  await look(words.signIn.title);
  await signIn(page, ALMA);
  await look(words.consent.title('Pocket Budget'));
  // To the other language and back.
  const links = page.getByRole('navigation', { name: words.languages }).getByRole('link');
  expect(await links.count()).toBe(1);
  await links.click();
  await page.locator(`html:not([lang=${tag}])`).waitFor();
  await page.locator(`nav [lang=${tag}]`).click();
  await page.locator('[value="profile:read"]').check();
  await page.getByRole('button', { name: words.consent.allow }).click();
  await look(words.goBack.title('Pocket Budget'));

  await ask(page, 'transactions:details payments:write', 'consent');
  await look(words.consent.titleMore('Pocket Budget'));
  await ask(page, 'profile:read', 'login');
  await signIn(page, NOOR);
  await look(words.otherPerson.title);
  await page.goto(`${authority.issuer}/auth?client_id=budget-app&client_id=x`);
  await look(words.errors['unacceptable-request'].title);
  await page.goto(`${authority.issuer}/sign-out`);
  await look(words.signOut.title);
  await page.getByRole('button', { name: words.signOut.submit }).click();
  await look(words.signOut.doneTitle);
  await context.close();
});
