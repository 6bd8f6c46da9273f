import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { checkPolicy } from '../../policy/index.js';
import { launchBrowser } from '../support/browser.js';
import { Cleanup } from '../support/cleanup.js';
import { ALMA, NOOR } from './oauth-setup.js';
import { POLICY_FILE, REDIRECT_URI, startTestAuthority, type TestAuthority, withPolicy } from './setup.js';

// Every page that a person can meet, on a phone and on a desk, as Chromium lays it out.

let authority: TestAuthority;
let browser: Browser;
const cleanup = new Cleanup();

beforeAll(async () => {
  browser = await launchBrowser();
  cleanup.add(() => browser.close());
  const { clients, purposes } = POLICY_FILE;
  const lending = { sentence: 'To judge whether to lend you money' };
  const rights = { ...clients['budget-app'], purposes: ['budgeting', 'lending'] };
  authority = await startTestAuthority({
    ...withPolicy(
      checkPolicy({
        ...POLICY_FILE,
        purposes: { ...purposes, lending },
        clients: { ...clients, '*': rights },
      }),
    ),
    // One for each walk: a person is not asked again by an application that they have answered.
    clients: ['narrow', 'wide'].map((clientId) => ({
      clientId,
      displayName: 'The Household Budget Planner & Sons of Longford',
      redirectUris: ['http://127.0.0.1/callback'],
    })),
  });
  cleanup.add(() => authority.close());
});
afterAll(() => cleanup.run());

/** Looks at each page that the person comes to. */
class Walk {
  readonly problems: string[] = [];
  readonly seen: string[] = [];

  constructor(
    readonly page: Page,
    readonly clientId: string,
  ) {
    page.on('console', (message) => {
      if (/Refused|Content Security Policy/.test(message.text())) this.problems.push(message.text());
    });
    page.on('response', (response) => {
      const headers = response.headers();
      const isPage = response.status() < 300 || response.status() >= 400;
      const isHtml = (headers['content-type'] ?? '').includes('html');
      const isOurs = response.url().startsWith(authority.issuer);
      if (
        isOurs &&
        isPage &&
        isHtml &&
        headers['content-security-policy']?.startsWith("default-src 'none'") !== true
      )
        this.problems.push(`no policy at ${response.url()}`);
    });
  }

  async ask(more: Readonly<Record<string, string>>): Promise<void> {
    const query = new URLSearchParams({
      client_id: this.clientId,
      response_type: 'code',
      redirect_uri: REDIRECT_URI,
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
      ...more,
    });
    await this.page.goto(`${authority.issuer}/auth?${query.toString()}`);
  }

  async signIn({ user, password }: { readonly user: string; readonly password: string }): Promise<void> {
    await this.page.getByLabel('User name').fill(user);
    await this.page.getByLabel('Password').fill(password);
    await this.press('Sign in');
  }

  press(name: string): Promise<void> {
    return this.page.getByRole('button', { name, exact: true }).click();
  }

  /** The page with this heading fits, and is without script. */
  async look(heading: string | RegExp): Promise<void> {
    await this.page.getByRole('heading', { name: heading, level: 1 }).waitFor();
    const text = await this.page.locator('main').innerText();
    this.seen.push(text);
    const isTooWide = await this.page.evaluate<boolean>(
      'document.documentElement.scrollWidth > document.documentElement.clientWidth',
    );
    if (isTooWide) this.problems.push(`too wide: ${String(heading)}`);
    if (/<script|\son\w+=|javascript:/.test(await this.page.content()))
      this.problems.push(`a script in: ${String(heading)}`);
    const boxes = await this.page.locator('label.row').allInnerTexts();
    for (const box of boxes)
      if (box.startsWith('New') && box.includes('You said no')) this.problems.push(`new and refused: ${box}`);
  }
}

async function open(context: BrowserContext, clientId: string): Promise<Walk> {
  // The application does not answer, so the person stays at the page that leads back to it.
  await context.route(`${new URL(REDIRECT_URI).origin}/**`, (route) => route.fulfill({ status: 204 }));
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  return new Walk(page, clientId);
}

it.each([
  ['narrow', 360, 'dark'],
  ['wide', 1280, 'light'],
] as const)(
  'on a %s screen every page fits, has a policy, and no script',
  async (clientId, width, colorScheme) => {
    const context = await browser.newContext({ viewport: { width, height: 740 }, colorScheme });
    const walk = await open(context, clientId);
    const { page } = walk;

    await walk.ask({ scope: 'accounts:read' });
    await walk.look('Sign in');
    await walk.signIn({ user: ALMA.user, password: 'wrong' });
    await page.getByRole('alert').waitFor();
    await walk.look('Sign in');
    expect(await page.evaluate('document.activeElement.name')).toBe('password');
    await walk.signIn(ALMA);
    await walk.look(/asks for access to your data$/);
    await walk.press('Allow');
    await page.getByRole('alert').waitFor();
    await walk.look(/asks for access to your data$/);
    await page.getByLabel('See your accounts').check();
    await page.getByLabel('To plan your budget').check();
    await walk.press('Allow');
    await walk.look(/^Back to/);

    await walk.ask({ scope: 'accounts:read transactions:read payments:write' });
    await walk.look(/asks for more$/);
    await page.getByLabel('See what you paid').check();
    await walk.press('Allow');
    await walk.look(/^Back to/);
    await walk.ask({
      scope: 'accounts:read transactions:read payments:write profile:read',
      prompt: 'consent',
    });
    await walk.look(/asks for more$/);
    expect(walk.seen.at(-1)).toContain('You said no to this before.');
    await walk.press('Leave it as it was');
    await walk.look(/^Back to/);

    await walk.ask({ scope: 'accounts:read', prompt: 'login' });
    await walk.signIn(NOOR);
    await walk.look('Another person is signed in');
    await walk.press('Cancel');
    await walk.look(/^Back to/);

    for (const [path, heading] of [
      ['/interaction/unknown', 'This page is no longer valid'],
      ['/nowhere', 'There is no page here'],
      ['/auth?client_id=nobody', 'This application is not known here'],
      [
        `/auth?client_id=${clientId}&redirect_uri=https://evil.example/`,
        'You cannot go back to this application',
      ],
    ] as const) {
      await page.goto(`${authority.issuer}${path}`);
      await walk.look(heading);
    }
    await page.goto(`${authority.issuer}/sign-out`);
    await walk.look('Sign out');
    await walk.press('Sign out');
    await walk.look('Signed out');

    expect(walk.problems).toEqual([]);
    await context.close();
  },
);
