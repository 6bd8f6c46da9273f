import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MemoryRateCounters } from '../../gateway/limit/rate-counters.js';
import { RateLimit } from '../../gateway/limit/rate-limit.js';
import type { GatewayConfig } from '../../gateway/index.js';
import { checkPolicy } from '../../policy/index.js';
import {
  AUDIENCE,
  Cleanup,
  codes,
  compose,
  send,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
  until,
} from './support.js';
import type { Answer, TestGateway } from './support.js';

const cleanup = new Cleanup();
let issuer: TestIssuer;
let other: TestIssuer;
let people: TestSubgraph;
let folder: string;
let policy: string;

const entry = { sentence: 'See it', access: 'read', sensitivity: 'low' };
const POLICY = {
  scopes: { name: entry, email: entry, 'people:write': entry },
  purposes: { credit: { sentence: 'To lend' } },
  clients: {
    'budget-app': { scopes: ['name'], rateClass: 'slow' },
    'other:budget-app': { scopes: ['name'], rateClass: 'slow' },
    lender: { scopes: ['name'], rateClass: 'slow' },
    free: { scopes: ['name'] },
  },
  rateClasses: { slow: { requests: 3, per: 'PT1H' } },
};

async function start(more: Partial<GatewayConfig> = {}): Promise<TestGateway> {
  const issuers = [
    { issuer: issuer.url, audience: AUDIENCE },
    { issuer: other.url, audience: AUDIENCE, namespace: 'other' },
  ];
  return startTestGateway(cleanup, compose(people), { policy, ...more, issuers });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-limit-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  policy = join(folder, 'policy.yaml');
  await writeFile(policy, JSON.stringify(POLICY));
  issuer = await TestIssuer.start();
  other = await TestIssuer.start();
  people = await TestSubgraph.start('people');
  for (const each of [issuer, other, people]) cleanup.add(() => each.close());
});
afterAll(() => cleanup.run());

async function statuses(gateway: TestGateway, claims: object, count: number, query = '{ hello }') {
  const found: number[] = [];
  for (let n = 0; n < count; n++) {
    // Each with another token, which is no way around the limit.
    found.push((await gateway.ask(query, { token: await issuer.mint({ ...claims }) })).status);
  }
  return found;
}

describe('a client with a rate class', () => {
  it('gets 429 and Retry-After beyond it (RFC 6585 section 4), without a subgraph request', async () => {
    const gateway = await start();
    expect(await statuses(gateway, {}, 3)).toEqual([200, 200, 200]);
    people.requests.length = 0;
    const answer = await gateway.ask('{ hello }', { token: await issuer.mint() });
    expect(answer.status).toBe(429);
    expect(codes(answer)).toEqual(['RATE_LIMITED']);
    expect(answer.body.data).toBeUndefined();
    const seconds = Number(answer.headers['retry-after']);
    expect(Number.isInteger(seconds) && seconds >= 1 && seconds <= 3_600).toBe(true);
    expect(people.requests).toEqual([]);
  });

  it('is counted per subject, client and issuer', async () => {
    const gateway = await start();
    expect(await statuses(gateway, {}, 4)).toEqual([200, 200, 200, 429]);
    expect(await statuses(gateway, { sub: 'c-000002' }, 1)).toEqual([200]);
    expect(await statuses(gateway, { client_id: 'lender' }, 1)).toEqual([200]);
    expect((await gateway.ask('{ hello }', { token: await other.mint() })).status).toBe(200);
    expect(await statuses(gateway, {}, 1)).toEqual([429]);
  });

  it('is distinct from another even if their joined names are equal', async () => {
    const gateway = await start();
    expect(await statuses(gateway, { sub: 'x","budget-app' }, 3)).toEqual([200, 200, 200]);
    expect(await statuses(gateway, { sub: 'x' }, 1)).toEqual([200]);
  });

  it('pays for unreadable operations, too, so that probing is limited', async () => {
    const gateway = await start();
    expect(await statuses(gateway, {}, 3, '{ secret }')).toEqual([400, 400, 400]);
    expect(await statuses(gateway, {}, 1)).toEqual([429]);
  });

  it('is recorded as refused', async () => {
    const file = join(folder, 'audit.jsonl');
    const gateway = await start({ audit: { mode: 'required', file } });
    await statuses(gateway, {}, 4);
    const records = (await readFile(file, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { outcome: string; reason?: string; caller: { clientId?: string } });
    expect(records.map(({ outcome }) => outcome)).toEqual(['answered', 'answered', 'answered', 'refused']);
    expect(records.at(-1)).toMatchObject({ reason: 'RATE_LIMITED', caller: { clientId: 'budget-app' } });
  });

  it('does not pay for an invalid token', async () => {
    const gateway = await start();
    for (let n = 0; n < 5; n++) {
      const token = await issuer.mint({ exp: 1 });
      expect((await gateway.ask('{ hello }', { token })).status).toBe(401);
    }
    expect(await statuses(gateway, {}, 1)).toEqual([200]);
  });

  it('is only reported in shadow mode; the answer is unchanged', async () => {
    const gateway = await start({ authorization: { mode: 'shadow' } });
    expect(await statuses(gateway, {}, 5)).toEqual([200, 200, 200, 200, 200]);
    expect(gateway.log.of('WOULD_LIMIT')).toHaveLength(2);
  });

  it('is admitted again when its window ends', async () => {
    const short = join(folder, 'short.yaml');
    await writeFile(
      short,
      JSON.stringify({ ...POLICY, rateClasses: { slow: { requests: 1, per: 'PT1S' } } }),
    );
    const gateway = await start({ policy: short });
    const token = await issuer.mint();
    await gateway.ask('{ hello }', { token });
    await until(async () => (await gateway.ask('{ hello }', { token })).status === 200, 'admitted again');
  });
});

describe('without a rate class', () => {
  it('nobody is limited: unclassed and unknown clients, and anonymous callers', async () => {
    const gateway = await start();
    expect(await statuses(gateway, { client_id: 'free' }, 6)).toEqual(Array(6).fill(200));
    expect(await statuses(gateway, { client_id: 'stranger' }, 6)).toEqual(Array(6).fill(200));
    for (let n = 0; n < 6; n++) expect((await gateway.ask('{ hello }')).status).toBe(200);
  });
});

describe('an expensive operation', () => {
  const aliased = (size: number): string =>
    `{ ${Array.from({ length: size }, (_, index) => `a${index}: person(id: "${index}") { id }`).join(' ')} }`;

  async function startWith(
    rateClass: object,
    more: Partial<GatewayConfig> = {},
  ): Promise<(query: string) => Promise<Answer>> {
    const file = join(folder, `${crypto.randomUUID()}.yaml`);
    await writeFile(file, JSON.stringify({ ...POLICY, rateClasses: { slow: rateClass } }));
    const gateway = await start({ policy: file, ...more });
    return async (query) => gateway.ask(query, { token: await issuer.mint() });
  }

  it.each([
    ['as many requests as it has root fields', aliased(8), 8],
    ['root fields in a fragment, too', `{ ...F } fragment F on Query { ${aliased(8).slice(1)}`, 8],
    ['at least one', '{ hello }', 1],
    ['no less for a mutation', 'mutation { touch }', 1],
  ])('counts %s', async (_name, query, weight) => {
    const ask = await startWith({ requests: 10, per: 'PT1H' });
    const weighed = await ask(query);
    expect(weighed.body.errors?.[0]?.extensions?.code).not.toBe('RATE_LIMITED');
    for (let n = weight; n < 10; n += 1) expect((await ask('{ hello }')).status).toBe(200);
    expect((await ask('{ hello }')).status).toBe(429);
  });

  it('counts by its cost if a request costs less', async () => {
    const ask = await startWith({ requests: 10, per: 'PT1H', costPerRequest: 2 });
    // A mutation costs 10 and its return value 1.
    expect((await ask('mutation { rename { id } }')).body.data).toEqual({ rename: null });
    for (let n = 6; n < 10; n += 1) expect((await ask('{ hello }')).status).toBe(200);
    expect((await ask('{ hello }')).status).toBe(429);
  });

  it('beyond the rest of the budget is refused, and leaves the rest', async () => {
    const ask = await startWith({ requests: 10, per: 'PT1H' });
    expect((await ask(aliased(6))).status).toBe(200);
    people.requests.length = 0;
    const refused = await ask(aliased(6));
    expect(refused.status).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(people.requests).toEqual([]);
    // The refused request counts, too.
    for (let n = 7; n < 10; n += 1) expect((await ask('{ hello }')).status).toBe(200);
    expect((await ask('{ hello }')).status).toBe(429);
  });

  it('that can never pass is refused without Retry-After', async () => {
    const ask = await startWith({ requests: 5, per: 'PT1H' });
    people.requests.length = 0;
    for (let n = 0; n < 2; n += 1) {
      const answer = await ask(aliased(20));
      expect(answer.status).toBe(429);
      expect(codes(answer)).toEqual(['RATE_LIMITED']);
      expect(answer.body.errors?.[0]?.message).toMatch(/counts as 20 requests.*may make 5/);
      expect(answer.headers['retry-after']).toBeUndefined();
    }
    expect(people.requests).toEqual([]);
    expect((await ask('{ hello }')).status).toBe(200);
  });

  it('with 3,000 aliases counts 3,000, if so many are allowed', async () => {
    const ask = await startWith(
      { requests: 3_001, per: 'PT1H' },
      {
        limits: {
          tokens: 100_000,
          selections: 100_000,
          rootFields: 10_000,
          aliases: 10_000,
          planningMs: 60_000,
        },
      },
    );
    expect((await ask(aliased(3_000))).status).toBe(200);
    expect((await ask('{ hello }')).status).toBe(200);
    expect((await ask('{ hello }')).status).toBe(429);
  });

  it('is only reported in shadow mode', async () => {
    const ask = await startWith({ requests: 2, per: 'PT1H' }, { authorization: { mode: 'shadow' } });
    expect((await ask(aliased(5))).status).toBe(200);
  });
});

describe('a batch', () => {
  const post = async (gateway: TestGateway, queries: readonly string[]): Promise<unknown[]> => {
    const answer = await send(`${gateway.url}/graphql`, JSON.stringify(queries.map((query) => ({ query }))), {
      'content-type': 'application/json',
      authorization: `Bearer ${await issuer.mint()}`,
    });
    if (!Array.isArray(answer.body)) return [answer.status];
    return (answer.body as Answer['body'][]).map(({ errors }) => errors?.[0]?.extensions?.code ?? 'answered');
  };
  const http = { batch: { maxOperations: 10 } };

  it('counts each of its operations', async () => {
    const gateway = await start({ http });
    const found = await post(gateway, [
      '{ hello }',
      '{ a: hello }',
      '{ b: hello }',
      '{ c: hello }',
      '{ d: hello }',
    ]);
    expect(found.filter((code) => code === 'answered')).toHaveLength(3);
    expect(found.filter((code) => code === 'RATE_LIMITED')).toHaveLength(2);
    expect(await statuses(gateway, {}, 1)).toEqual([429]);
  });

  it('counts each with its weight', async () => {
    const gateway = await start({ http });
    const found = await post(gateway, ['{ a: hello b: hello }', '{ c: hello d: hello }']);
    expect(found.filter((code) => code === 'answered')).toHaveLength(1);
    expect(found.filter((code) => code === 'RATE_LIMITED')).toHaveLength(1);
  });

  it.each([
    ['that cannot be parsed', '{'],
    ['that are not valid', '{ secret }'],
    ['that are too large', `{ ${'a: hello '.repeat(300)} }`],
  ])('counts operations %s, too', async (_name, query) => {
    const gateway = await start({ http });
    await post(gateway, [query, query, query]);
    expect(await statuses(gateway, {}, 1)).toEqual([429]);
  });

  it('of two leaves one', async () => {
    const gateway = await start({ http });
    await post(gateway, ['{ hello }', '{ secret }']);
    expect(await statuses(gateway, {}, 2)).toEqual([200, 429]);
  });
});

it('the number of counters is bounded: idle ones are forgotten first', async () => {
  const limit = new RateLimit(checkPolicy(POLICY), new MemoryRateCounters(2));
  const count = (subject: string) =>
    limit.count({
      issuer: 'https://login.example',
      delegation: { subject, clientId: 'budget-app', scopes: new Set(), policies: new Set(), roles: [] },
      tokenId: 'jti',
      issuedAt: 0,
      expiresAt: 1,
      confirmation: undefined,
    });
  for (let n = 0; n < 3; n++) await count('a');
  await expect(count('a')).rejects.toMatchObject({ refusal: { code: 'RATE_LIMITED', status: 429 } });
  await count('b');
  await expect(count('a')).rejects.toMatchObject({ refusal: { code: 'RATE_LIMITED' } });
  await count('c');
  await expect(count('a')).rejects.toMatchObject({ refusal: { code: 'RATE_LIMITED' } });
  await count('b');
  await count('c');
  await expect(count('a')).resolves.toBeUndefined();
});
