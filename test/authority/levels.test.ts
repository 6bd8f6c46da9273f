import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { checkPolicy, readVocabulary } from '../../policy/index.js';
import type { Policy } from '../../policy/index.js';
import { BrowserlessPerson } from '../support/person.js';
import type { PersonsWill } from '../../subgraphs/bank/walkthrough/browserless-person.js';
import { ALMA, application, claimsOf, discoverAs, NOOR, post, REDIRECT_URI } from './oauth-setup.js';
import { authorizationRequest, exchange, startTestAuthority, type TestAuthority } from './setup.js';

const SDL = /* GraphQL */ `
  schema
    @link(url: "https://specs.apollo.dev/link/v1.0")
    @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION)
    @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@minimize", "@personalData"])
    @link(url: "https://specs.apollo.dev/requiresScopes/v0.1", for: SECURITY) {
    query: Query
  }

  type Query {
    me: Person @requiresScopes(scopes: [["home:read"]])
  }

  type Person {
    "The street, for developers."
    street: String
      @requiresScopes(scopes: [["home:read"]])
      @personalData(category: "address")
      @minimize(to: TRUNCATE, keep: 3, unless: [["home:full"]])
      @minimize(level: "city", to: REDACT)
    "The town."
    city: String
      @requiresScopes(scopes: [["home:read"]])
      @personalData(category: "address")
      @minimize(level: "city", to: KEEP)
      @minimize(level: "country", to: REDACT)
    pet: String @requiresScopes(scopes: [["home:read"]])
  }
`;
const scope = { access: 'read', sensitivity: 'low' };
const POLICY: Policy = checkPolicy({
  scopes: {
    'home:read': { ...scope, sentence: 'See roughly where you live' },
    'home:full': { ...scope, sentence: 'See exactly where you live' },
  },
  categories: {
    address: {
      sentence: 'Where you live',
      sensitivity: 'sensitive',
      levels: { city: { sentence: 'Only the town' }, country: { sentence: 'Only the country' } },
    },
  },
  fields: { 'Person.street': 'Your street' },
  clients: { planner: { scopes: ['home:read', 'home:full'] } },
});
const GERMAN = {
  language: 'de',
  scopes: { 'home:read': 'Ungefähr sehen, wo du wohnst', 'home:full': 'Genau sehen, wo du wohnst' },
  categories: {
    address: { sentence: 'Wo du wohnst', levels: { city: 'Nur der Ort', country: 'Nur das Land' } },
  },
  fields: { 'Person.street': 'Deine Straße' },
};

let authority: TestAuthority;
let folder: string;
let planner: oidc.Configuration;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-levels-'));
  const german = join(folder, 'policy.de.yaml');
  await writeFile(german, JSON.stringify(GERMAN));
  authority = await startTestAuthority({
    clients: [application('planner', { authorizationDetailsTypes: ['behalf_access'] })],
    policy: POLICY,
    translationFiles: [german],
    vocabulary: readVocabulary(SDL),
  });
  planner = await discoverAs(authority, 'planner');
});
afterAll(async () => {
  await authority.close();
  await rm(folder, { recursive: true, force: true });
});

interface Asked {
  readonly tokens: Awaited<ReturnType<typeof exchange>>;
  readonly page: string;
}

async function ask(
  will: Partial<PersonsWill> = {},
  { user = ALMA, levels }: { readonly user?: typeof ALMA; readonly levels?: unknown } = {},
): Promise<Asked> {
  const details =
    levels === undefined
      ? {}
      : { authorization_details: JSON.stringify([{ type: 'behalf_access', levels }]) };
  const request = await authorizationRequest(planner, 'home:read home:full', {
    prompt: 'consent',
    ...details,
  });
  const { callbackUrl, pages } = await new BrowserlessPerson().follow(request.url, { ...user, ...will });
  return { tokens: await exchange(planner, callbackUrl, request), page: pages.at(-1)?.markup ?? '' };
}

const BOTH = ['city', 'country'];

describe('the consent page', () => {
  it('opens each scope to the fields that it means, in the words of the policy', async () => {
    const { page } = await ask({}, { user: NOOR });
    const text = page.replace(/\s+/g, ' ');
    expect(text).toContain('What this means: 3 things');
    expect(text).toContain('<h3>Where you live</h3>');
    expect(text).toMatch(/<li>Your street <em>only the beginning<\/em><\/li>/);
    expect(text).toMatch(/<li>Your street <em>in full<\/em><\/li>/);
    expect(text).toMatch(/<li>The town\.<\/li>/);
    expect(text).toContain('<h3>Technical items</h3>');
    expect(text).toContain('<code>Person.pet</code>');
    expect(text).not.toContain('for developers');
  });

  it('says so in the person’s language, and marks what is not translated', async () => {
    const { page } = await ask({ language: 'de' }, { user: NOOR });
    const text = page.replace(/\s+/g, ' ');
    expect(text).toContain('<h3>Wo du wohnst</h3>');
    expect(text).toMatch(/<li>Deine Straße <em>nur der Anfang<\/em><\/li>/);
    expect(text).toContain('<li><span lang="en">The town.</span></li>');
    expect(text).toContain('>Nur das Land</option>');
  });
});

describe('a level that the person chooses', () => {
  it('is in the consent, the token and the record, with those before it', async () => {
    const { tokens } = await ask({ levels: { address: 'country', 'Person.city': 'country' } });
    const { consent } = claimsOf(tokens);
    expect(consent).toMatchObject({ levels: { address: BOTH, 'Person.city': BOTH } });
    const stored = await authority.consents.find(consent?.id ?? '');
    expect(stored?.levels).toEqual({ address: BOTH, 'Person.city': BOTH });
    const { document } = await authority.consents.exportOwn(stored?.subject ?? '');
    const notice = document.records.flatMap(({ events }) => events).at(-1)?.privacy_notice;
    expect(notice?.levels).toEqual(['Where you live: Only the country', 'The town.: hidden']);
    expect(notice?.text).toContain('Only the country');
  });

  it('is preselected when they are asked again, and stays', async () => {
    await ask({ levels: { address: 'city' } });
    const { page, tokens } = await ask();
    expect(page.replace(/\s+/g, ' ')).toMatch(/<option value="city" ?selected>Only the town<\/option>/);
    expect(claimsOf(tokens).consent).toMatchObject({ levels: { address: ['city'] } });
  });

  it('can be taken back on the page alone, which ends the tokens under the stricter terms', async () => {
    const strict = claimsOf(
      (await ask({ levels: { address: 'country', 'Person.city': '' } })).tokens,
    ).consent;
    const wide = claimsOf((await ask({ levels: { address: '', 'Person.city': '' } })).tokens).consent;
    expect(wide).not.toHaveProperty('levels');
    const narrow = claimsOf((await ask({ levels: { address: 'city' } })).tokens).consent;
    expect(narrow?.id).not.toBe(wide?.id);
    expect((await authority.consents.find(wide?.id ?? ''))?.status).toBe('replaced');
    expect(strict?.id).toBe(wide?.id);
  });

  it('for a single item is offered by what is left of it, opened if it was chosen, and can be taken back', async () => {
    await ask({ levels: { address: '', 'Person.street': '', 'Person.city': 'country' } });
    const { page, tokens } = await ask({ levels: { 'Person.city': '' } });
    expect(page).toMatch(/<details open>\s*<summary>Choose for single items/);
    const select = /<select name="level:Person.city">.*?<\/select>/s.exec(page)?.[0] ?? '';
    expect([...select.matchAll(/<option value="(\w*)"[^>]*>([^<]*)/g)].map(([, ...both]) => both)).toEqual([
      ['', 'As chosen above'],
      ['country', 'hidden'],
    ]);
    expect(select).toMatch(/value="country"\s+selected/);
    expect(claimsOf(tokens).consent).not.toHaveProperty('levels');
  });

  it.each(['street', 'nothing', '__proto__'])('that was not offered is refused: %s', async (level) => {
    await expect(ask({ levels: { address: level } })).rejects.toMatchObject({
      pages: expect.arrayContaining([
        expect.objectContaining({ markup: expect.stringContaining('from what is listed') as string }),
      ]) as unknown[],
    });
  });
});

describe('RFC 9396: levels that an application asks for', () => {
  it('are the most that the page offers, and are granted', async () => {
    const { page, tokens } = await ask(
      { levels: { address: 'city', 'Person.city': '' } },
      { levels: { address: 'city' } },
    );
    const select = /<select name="level:address">.*?<\/select>/s.exec(page)?.[0] ?? '';
    expect([...select.matchAll(/value="(\w*)"/g)].map(([, value]) => value)).toEqual(BOTH);
    expect(claimsOf(tokens).consent).toMatchObject({ levels: { address: ['city'] } });
    expect(claimsOf(tokens).authorization_details).toMatchObject([{ levels: { address: ['city'] } }]);
  });

  it('may be those that were granted before', async () => {
    const { tokens } = await ask({}, { levels: { address: BOTH, 'Person.city': 'country' } });
    expect(claimsOf(tokens).consent).toMatchObject({
      levels: { address: BOTH, 'Person.city': BOTH },
    });
  });

  it.each<[string, unknown]>([
    ['of an unknown category', { diet: 'none' }],
    ['that the category does not have', { address: 'street' }],
    ['of an unknown field', { 'Person.shoe': 'city' }],
    ['that are no names', { address: 7 }],
    ['that are none', { address: [] }],
    ['in a list', ['city']],
  ])('%s are refused', async (_what, levels) => {
    const answer = await post(`${authority.issuer}/request`, {
      client_id: 'planner',
      redirect_uri: REDIRECT_URI,
      response_type: 'code',
      scope: 'home:read',
      code_challenge_method: 'S256',
      code_challenge: 'x'.repeat(43),
      authorization_details: JSON.stringify([{ type: 'behalf_access', levels }]),
    });
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_authorization_details' } });
  });
});
