import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { stringify } from 'yaml';
import { MESSAGES, type PageMessages } from '../../../authority/pages/messages/index.js';
import { checkPolicy } from '../../../policy/index.js';
import { Cleanup } from '../../support/cleanup.js';
import { BrowserlessPerson, type PersonsWill, type SeenPage } from '../../support/person.js';
import { ALMA } from '../oauth-setup.js';
import { authorizationRequest, discover, POLICY_FILE, startTestAuthority, withPolicy } from '../setup.js';
import type { TestAuthority } from '../setup.js';
import { GERMAN_FILE } from './support.js';

const HOSTILE = `<script>alert("1")</script>'&`;

// Hebrew is written from right to left; these words are English, in capitals, so that they are recognized.
const MESSAGES_RTL = shout(MESSAGES.en);
function shout(messages: PageMessages): PageMessages {
  const { consent, signIn } = messages;
  return {
    ...messages,
    direction: 'rtl',
    signIn: { ...signIn, title: 'SIGN IN' },
    consent: { ...consent, title: (name) => `${name} ASKS` },
  };
}

let folder: string;
let authority: TestAuthority;
const cleanup = new Cleanup();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-languages-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  const policyFile = await write('policy.yaml', POLICY_FILE);
  const german = await write('policy.de.yaml', GERMAN_FILE);
  const hebrew = await write('policy.he.yaml', {
    ...GERMAN_FILE,
    language: 'he',
    scopes: { ...GERMAN_FILE.scopes, 'accounts:read': HOSTILE },
    purposes: { ...GERMAN_FILE.purposes, budgeting: HOSTILE },
  });
  authority = await startTestAuthority({
    ...withPolicy(checkPolicy(POLICY_FILE)),
    policyFile,
    translationFiles: [german, hebrew],
    messages: { he: MESSAGES_RTL },
    durations: [{ seconds: 3_600, label: 'an hour' }, { seconds: 86_400 }],
    defaultDurationSeconds: 3_600,
  });
  cleanup.add(() => authority.close());
});
afterAll(() => cleanup.run());

async function write(name: string, content: object): Promise<string> {
  const file = join(folder, name);
  await writeFile(`${file}.new`, stringify(content));
  await rename(`${file}.new`, file);
  return file;
}

/** The pages that a person saw until they came back to the application. */
async function visit(
  person: BrowserlessPerson,
  more: Record<string, string> = {},
  will: Partial<PersonsWill> = {},
): Promise<readonly SeenPage[]> {
  const { url } = await authorizationRequest(await discover(authority), 'accounts:read payments:write', {
    prompt: 'consent',
    ...more,
  });
  const { pages } = await person.follow(url, { ...ALMA, ...will });
  return pages;
}

const languages = (pages: readonly SeenPage[]): (string | undefined)[] =>
  pages.map(({ markup }) => /<html lang="([^"]*)"/.exec(markup)?.[1]);

async function storedNotice() {
  const event = await authority.database.db
    .selectFrom('authority.consent_event')
    .select(['privacy_notice', 'policy_version'])
    .where('privacy_notice', 'is not', null)
    .orderBy('event_id', 'desc')
    .executeTakeFirst();
  return event;
}

describe('a page is in the language', () => {
  it.each<[string, string | undefined, Record<string, string>, string]>([
    ['of the policy, if nothing else is said', undefined, {}, 'en'],
    ['that the browser accepts', 'fr, de-AT;q=0.9, en;q=0.8', {}, 'de'],
    ['that the application asks for', 'en', { ui_locales: 'fr de' }, 'de'],
    ['of the policy, if no other is offered', 'fr', { ui_locales: 'nl' }, 'en'],
  ])('%s', async (_case, acceptLanguage, parameters, expected) => {
    const pages = await visit(new BrowserlessPerson(acceptLanguage), parameters);
    expect(languages(pages)).toEqual([expected, expected]);
  });

  it('that the person switches to, also on the pages that follow', async () => {
    const person = new BrowserlessPerson('en');
    const pages = await visit(person, { ui_locales: 'en' }, { language: 'de' });
    // The sign-in page in English and in German, then the question in German.
    expect(languages(pages)).toEqual(['en', 'de', 'de']);
    expect(await storedNotice()).toMatchObject({ privacy_notice: { language: 'de' } });
    // Another request of the application is asked in its own language again.
    expect(languages(await visit(person))).toEqual(['en']);
    // While the question is being read.
    expect(languages(await visit(person, {}, { language: 'de' }))).toEqual(['en', 'de']);
    expect(await storedNotice()).toMatchObject({ privacy_notice: { language: 'de' } });
  });

  it('in which it is written, also from right to left, and links to the others', async () => {
    const [page] = await visit(new BrowserlessPerson('he'));
    expect(page?.markup).toContain('<html lang="he" dir="rtl">');
    expect(page?.markup).toContain('SIGN IN');
    const links = [...(page?.markup ?? '').matchAll(/<a href="([^"]*)" lang="([^"]*)"[^>]*>([^<]*)</g)];
    expect(links.map(([, address, tag, name]) => [address, tag, name?.trim()])).toEqual([
      ['?lang=en', 'en', 'English'],
      ['?lang=de', 'de', 'Deutsch'],
    ]);
  });

  it('which the metadata list', async () => {
    const metadata = (await discover(authority)).serverMetadata();
    expect(metadata.ui_locales_supported).toEqual(['en', 'de', 'he']);
  });

  it.each([
    ['/nowhere', 404, 'Hier ist keine Seite'],
    ['/interaction/unknown', 400, 'Diese Seite gilt nicht mehr'],
    ['/auth?client_id=nobody', 400, 'Diese Anwendung ist hier nicht bekannt'],
    ['/sign-out', 200, 'Abmelden'],
  ])('that the browser accepts, at %s', async (path, status, title) => {
    const headers = { accept: 'text/html', 'accept-language': 'de' };
    const response = await fetch(`${authority.issuer}${path}`, { headers });
    const markup = await response.text();
    expect([response.status, /<h1>(.*)<\/h1>/.exec(markup)?.[1]]).toEqual([status, title]);
    expect(markup).toContain('<html lang="de" dir="ltr">');
    const chosen = new URL(
      /<a href="([^"]*)" lang="en"/.exec(markup)?.[1]?.replaceAll('&amp;', '&') ?? '',
      response.url,
    );
    const english = await (await fetch(chosen, { headers })).text();
    expect(english).toContain('<html lang="en"');
  });

  it('that the application asks for, except what is told to its developers', async () => {
    const address = `${authority.issuer}/auth?client_id=budget-app&client_id=other&ui_locales=de`;
    const markup = await (await fetch(address, { headers: { accept: 'text/html' } })).text();
    expect(markup).toMatch(/<html lang="de"[\s\S]*invalid_request: <span lang="en">/);
  });

  it('that its address names, but nothing else that it names', async () => {
    const address = `${authority.issuer}//evil.example/x?lang=%22%3E%3Cscript%3E&y=%22%3E%3Cb%3E`;
    const markup = await (await fetch(address, { headers: { accept: 'text/html' } })).text();
    expect(markup).toContain('<html lang="en"');
    expect(markup).not.toMatch(/<script|<b>|evil\.example/);
    for (const [, link = ''] of markup.matchAll(/href="([^"]*)"/g))
      expect(link).toMatch(/^(\?|\/style\.css$)/);
  });
});

describe('a consent that was asked for in German', () => {
  it('is recorded with the words that were read, and the version of the policy', async () => {
    const person = new BrowserlessPerson('de');
    await authority.consents.revokeClient('budget-app', { by: 'x', initiator: 'admin' });
    await visit(new BrowserlessPerson('en'));
    const english = await storedNotice();
    await authority.consents.revokeClient('budget-app', { by: 'x', initiator: 'admin' });
    const pages = await visit(person);
    const { policy_version: version, privacy_notice: notice } = (await storedNotice()) ?? {};
    expect(notice).toMatchObject({
      language: 'de',
      purposes: ['Um dein Budget zu planen'],
      duration: '1 Stunde',
      detail: 'Alle Einzelheiten',
    });
    expect(notice?.scopes.map(({ sentence }) => sentence)).toEqual([
      'Sieh deine Konten und ihren Stand',
      'Zahle von deinen Konten',
    ]);
    expect(notice?.text).toContain(
      'Pocket Budget bittet um Zugriff auf deine Daten\nDu bist angemeldet als Alma',
    );
    expect(version).toBe(english?.policy_version);
    expect(english?.privacy_notice).toMatchObject({ language: 'en', duration: 'an hour' });
    expect(pages.at(-1)?.markup).toContain('name="shown"');
  });

  it('names no word of the English page, and the other way round', async () => {
    await authority.consents.revokeClient('budget-app', { by: 'x', initiator: 'admin' });
    await visit(new BrowserlessPerson('de'));
    const german = (await storedNotice())?.privacy_notice?.text ?? '';
    await authority.consents.revokeClient('budget-app', { by: 'x', initiator: 'admin' });
    await visit(new BrowserlessPerson('en'));
    const english = (await storedNotice())?.privacy_notice?.text ?? '';
    const words = (text: string): Set<string> => new Set(text.match(/\p{L}{2,}/gu));
    const shared = [...words(german)].filter((word) => words(english).has(word));
    // Names of people, applications and scopes, an address, and words of both.
    expect(shared.sort()).toEqual(
      [
        'Alma',
        'an',
        'in',
        'Budget',
        'Lindqvist',
        'Ltd',
        'Pocket',
        'accounts',
        'budget',
        'example',
        'https',
        'payments',
      ]
        .concat(['pocket', 'privacy', 'read', 'write'])
        .sort(),
    );
  });

  it('is not given by a form that was shown in another language', async () => {
    const person = new BrowserlessPerson('de');
    const { url } = await authorizationRequest(await discover(authority), 'profile:read', {
      prompt: 'consent',
    });
    let posts = 0;
    const original = globalThis.fetch;
    const redirected = vi.spyOn(globalThis, 'fetch').mockImplementation((address, init) => {
      const body = init?.body;
      if (!(address instanceof URL && body instanceof URLSearchParams && body.has('shown')))
        return original(address, init);
      posts += 1;
      const to = new URL(address);
      expect(to.searchParams.get('lang')).toBe('de');
      to.searchParams.set('lang', 'en');
      return original(to, init);
    });
    try {
      await expect(person.follow(url, ALMA)).rejects.toThrow('This page has changed since you opened it');
    } finally {
      redirected.mockRestore();
    }
    expect(posts).toBe(1);
  });
});

it('hostile text in a translation stays text', async () => {
  const pages = await visit(new BrowserlessPerson('he'));
  expect(pages.at(-1)?.markup).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;');
  expect(pages.at(-1)?.markup).not.toContain('<script');
});
