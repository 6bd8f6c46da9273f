import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditRecord } from '../../audit/index.js';
import {
  AUDIENCE,
  Cleanup,
  compose,
  freePort,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
} from './support.js';
import type { TestGateway } from './support.js';

const SDL = /* GraphQL */ `
  extend schema
    @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
    @link(
      url: "https://specs.behalf.dev/behalf/v0.1"
      import: ["@requiresScope", "@minimize", "@personalData"]
    )

  type Query {
    home: Home @requiresScope(scope: "home")
  }

  type Home {
    city: String
      @requiresScope(scope: "home")
      @personalData(category: "location")
      @minimize(level: "city", to: KEEP)
      @minimize(level: "country", to: REDACT)
    street: String
      @requiresScope(scope: "home")
      @personalData(category: "location")
      @minimize(to: TRUNCATE, keep: 4, unless: [["home:street"]])
      @minimize(level: "city", to: REDACT)
    number: String @requiresScope(scope: "home") @minimize(to: PSEUDONYMIZE)
  }
`;
const HOME = { city: 'Graz', street: 'Ringweg 1', number: 'H-1' };
const SENTENCE = { sentence: 'Words' };
const entry = { ...SENTENCE, access: 'read', sensitivity: 'low' };
const POLICY = {
  scopes: { home: entry, 'home:street': entry },
  purposes: { ads: SENTENCE, budgeting: SENTENCE, fraud: SENTENCE },
  categories: {
    location: { ...SENTENCE, sensitivity: 'sensitive', levels: { city: SENTENCE, country: SENTENCE } },
    diet: { ...SENTENCE, sensitivity: 'low', levels: { none: SENTENCE } },
  },
  minimize: [
    { when: { actor: true }, strictest: ['sensitive'] },
    { when: { purposes: ['fraud'] }, nothingLifts: true },
  ],
};
const QUERY = '{ home { city street } }';

const cleanup = new Cleanup();
let issuer: TestIssuer;
let subgraph: TestSubgraph;
let files = 0;
let gateway: TestGateway;
let folder: string;

async function start(policy: object | undefined): Promise<TestGateway> {
  const port = await freePort();
  const gatewayUrl = `http://127.0.0.1:${port}`;
  const trust = { issuer: gatewayUrl, jwksUri: `${gatewayUrl}/.well-known/jwks.json` };
  const homes = await TestSubgraph.start('homes', trust, SDL, {
    resolvers: { Query: { home: () => HOME } },
    pseudonymKey: new Uint8Array(32).fill(7),
  });
  cleanup.add(() => homes.close());
  subgraph = homes;
  files += 1;
  const file = join(folder, `policy-${files}.yaml`);
  if (policy !== undefined) await writeFile(file, JSON.stringify(policy));
  return startTestGateway(cleanup, compose(homes), {
    listen: { port },
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    propagation: { issuer: gatewayUrl },
    audit: { mode: 'required', file: join(folder, 'audit.jsonl') },
    ...(policy === undefined ? {} : { policy: file }),
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-levels-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  issuer = await TestIssuer.start();
  cleanup.add(() => issuer.close());
  gateway = await start(POLICY);
});
afterAll(() => cleanup.run());

interface Asked {
  readonly home: unknown;
  /** `tctx` of the transaction token that reached the subgraph. */
  readonly tctx: { readonly detail?: unknown; readonly consent?: object };
  readonly errors: readonly unknown[];
}

async function ask(claims: object, at: TestGateway = gateway, query: string = QUERY): Promise<Asked> {
  subgraph.requests.length = 0;
  const token = await issuer.mint({ scope: 'home home:street', ...claims });
  const { body } = await at.ask(query, { token });
  const sent = String(subgraph.requests[0]?.headers['txn-token']);
  const { tctx } = decodeJwt<{ tctx: Asked['tctx'] }>(sent);
  return { home: body.data?.['home'], tctx, errors: body.errors ?? [] };
}

const consent = { id: 'c', version: 1, purposes: ['budgeting'], detail: 'full' };

describe('the detail that a person chose', () => {
  it('reaches the subgraph as levels in force, and the record', async () => {
    const chosen = { ...consent, levels: { location: ['country'], diet: ['none'], 'Other.field': ['x'] } };
    const { home, tctx, errors } = await ask({ consent: chosen });
    expect(home).toEqual({ city: null, street: null });
    expect(errors).toEqual([]);
    // The choice itself is not its business. Levels of what others have are in it: it may pass the token on.
    expect(tctx.detail).toEqual({
      levels: { location: ['city', 'country'], diet: ['none'], 'Other.field': ['x'] },
    });
    expect(tctx.consent).not.toHaveProperty('levels');
    const [line = ''] = (await readFile(join(folder, 'audit.jsonl'), 'utf8')).trim().split('\n');
    expect((JSON.parse(line) as AuditRecord).fields).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ coordinate: 'Home.city', strategy: 'REDACT', level: 'country' }),
        expect.objectContaining({ coordinate: 'Home.street', strategy: 'REDACT', level: 'city' }),
      ]),
    );
  });

  it('can be a less strict level, and one field', async () => {
    expect(await ask({ consent: { ...consent, levels: { location: ['city'] } } })).toMatchObject({
      home: { city: 'Graz', street: null },
    });
    expect(await ask({ consent: { ...consent, levels: { 'Home.street': ['city'] } } })).toMatchObject({
      home: { city: 'Graz', street: null },
      tctx: { detail: { levels: { 'Home.street': ['city'] } } },
    });
  });

  it('is the strictest of its category at a gateway without a policy', async () => {
    const own = await start(undefined);
    expect(await ask({ consent: { ...consent, levels: { location: ['city'] } } }, own)).toMatchObject({
      home: { city: null, street: null },
      tctx: { detail: { levels: { location: ['*'] } } },
    });
    gateway = await start(POLICY);
  });

  it('refuses a token in which it cannot be read', async () => {
    const token = await issuer.mint({ scope: 'home', consent: { ...consent, levels: { location: 'city' } } });
    const answer = await gateway.ask(QUERY, { token });
    expect(answer.status).toBe(401);
  });
});

describe('the detail that the policy leaves', () => {
  it('is what the schema says for a person’s own application', async () => {
    expect(await ask({ consent })).toMatchObject({ home: { city: 'Graz', street: 'Ringweg 1' } });
    expect((await ask({ consent })).tctx.detail).toBeUndefined();
  });

  it('is less for an actor and for a service', async () => {
    const hidden = { home: { city: null, street: null } };
    expect(await ask({ consent, act: { sub: 'agent' } })).toMatchObject(hidden);
    const { tctx, home } = await ask({ sub: 'nightly', client_id: 'nightly' });
    expect(home).toEqual({ city: null, street: null });
    expect(tctx.detail).toEqual({ levels: { location: ['city', 'country'] } });
  });

  it('is not lifted for a purpose', async () => {
    expect(await ask({ consent: { ...consent, purposes: ['budgeting', 'fraud'] } })).toMatchObject({
      home: { city: 'Graz', street: 'Ring' },
      tctx: { detail: { nothing_lifts: true } },
    });
  });
});

it('gives other pseudonyms for other purposes, also for those that no rule of the subgraph names', async () => {
  const numbers: string[] = [];
  for (const purposes of [['budgeting'], ['budgeting', 'ads'], ['ads', 'budgeting'], []]) {
    const { home } = await ask({ consent: { ...consent, purposes } }, gateway, '{ home { number } }');
    numbers.push((home as { readonly number: string }).number);
  }
  expect(numbers[1]).toBe(numbers[2]);
  expect(new Set(numbers).size).toBe(3);
});

describe('a policy that promises more than the schema keeps', () => {
  it('stops the start of the gateway', async () => {
    const levels = { room: SENTENCE, ...POLICY.categories.location.levels };
    const categories = { ...POLICY.categories, location: { ...POLICY.categories.location, levels } };
    await expect(start({ ...POLICY, categories })).rejects.toThrow(
      'Home.city (location: room), Home.street (location: room)',
    );
  });
});

it('a mutation is refused as invalid where the schema has none', async () => {
  const token = await issuer.mint({ scope: 'home', consent });
  for (const asking of [{ token }, {}]) {
    const { body } = await gateway.ask('mutation { rename }', asking);
    expect(body.errors?.map(({ extensions }) => extensions?.['code'])).toEqual(['OPERATION_UNSUPPORTED']);
  }
  expect(gateway.log.of('INTERNAL_SERVER_ERROR')).toEqual([]);
});
