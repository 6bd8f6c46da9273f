import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../support/manual-clock.js';
import {
  AUDIENCE,
  Cleanup,
  codes,
  compose,
  freePort,
  listen,
  makeKey,
  sendJson,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
  until,
} from './support.js';
import type { GatewayOverrides } from '../../gateway/index.js';
import type { Answer, TestGateway } from './support.js';

const cleanup = new Cleanup();
let issuer: TestIssuer;
let people: TestSubgraph;
let supergraph: string;

const READ = '{ me { id name } hello }';

beforeAll(async () => {
  issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  supergraph = compose(people);
});
afterAll(() => cleanup.run());
beforeEach(() => {
  people.requests.length = 0;
});

function expectRefused(answer: Answer): void {
  expect(answer.status).toBe(401);
  expect(codes(answer)).toEqual(['INVALID_TOKEN']);
  expect(people.requests).toEqual([]);
}

async function expectAccepted(token: string, at: TestGateway): Promise<void> {
  const answer = await at.ask(READ, { token });
  expect(answer.status).toBe(200);
  expect(answer.body.data).toEqual({
    me: { id: 'c-000001', name: 'Name of c-000001' },
    hello: 'hello world',
  });
}

describe('keys of the issuer (RFC 7517, RFC 8414)', () => {
  async function startOwn(
    mode: 'up' | 'error' | 'html' = 'up',
    overrides: GatewayOverrides = {},
  ): Promise<[TestIssuer, TestGateway]> {
    const own = await TestIssuer.start();
    own.mode = mode;
    cleanup.add(() => own.close());
    const config = { issuers: [{ issuer: own.url, audience: AUDIENCE }] };
    return [own, await startTestGateway(cleanup, supergraph, config, overrides)];
  }

  it('are fetched once for many concurrent requests', async () => {
    const [own, at] = await startOwn();
    const tokens = await Promise.all(Array.from({ length: 20 }, () => own.mint({ scope: 'name' })));
    await Promise.all(tokens.map((token) => expectAccepted(token, at)));
    expect([own.metadataRequests, own.keyRequests]).toEqual([1, 1]);
  });

  it('are refetched for an unknown kid, limited by a cooldown', async () => {
    const clock = ManualClock.running();
    const [own, at] = await startOwn('up', { clock });
    await expectAccepted(await own.mint({ scope: 'name' }), at);
    expect(own.keyRequests).toBe(1);

    await clock.advance(6_000);
    own.keys.push(await makeKey('ES256'));
    await expectAccepted(await own.mint({ scope: 'name' }), at);
    expect(own.keyRequests).toBe(2);
    // The previous key is still published and valid.
    const [before] = own.keys;
    if (before === undefined) throw new Error('no key');
    await expectAccepted(await own.mint({ scope: 'name' }, { key: before }), at);

    people.requests.length = 0;
    for (let index = 0; index < 5; index += 1) {
      expectRefused(
        await at.ask(READ, { token: await own.mint({ scope: 'name' }, { key: await makeKey() }) }),
      );
    }
    expect(own.keyRequests).toBe(2);
    // A key that is no longer published is refused after the next fetch.
    await clock.advance(6_000);
    own.keys.shift();
    expectRefused(await at.ask(READ, { token: await own.mint({ scope: 'name' }, { key: await makeKey() }) }));
    expect(own.keyRequests).toBe(3);
    expectRefused(await at.ask(READ, { token: await own.mint({ scope: 'name' }, { key: before }) }));
  });

  it.each(['error', 'html'] as const)(
    'that are unavailable (%s) give 503, not an anonymous caller',
    async (mode) => {
      const [own, at] = await startOwn(mode);
      const token = await own.mint({ scope: 'name' });
      const answer = await at.ask('{ hello }', { token });
      expect(answer.status).toBe(503);
      expect(codes(answer)).toEqual(['ISSUER_KEYS_UNAVAILABLE']);
      expect(answer.headers['retry-after']).toBe('5');
      expect(answer.text).not.toContain(new URL(own.url).port);
      expect(people.requests).toEqual([]);
      own.mode = 'up';
      await expectAccepted(token, at);
    },
  );

  it('of an unavailable issuer give 503 after one fetch, and recover', async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const key = await makeKey();
    const at = await startTestGateway(cleanup, supergraph, {
      issuers: [{ issuer: url, audience: AUDIENCE }],
    });
    const token = await issuer.mint({ iss: url, scope: 'name' }, { key });
    const answers = await Promise.all(Array.from({ length: 10 }, () => at.ask('{ hello }', { token })));
    for (const answer of answers) {
      expect(answer.status).toBe(503);
      expect(codes(answer)).toEqual(['ISSUER_KEYS_UNAVAILABLE']);
    }
    expect(people.requests).toEqual([]);
    let asked = 0;
    const late = await listen((request, response) => {
      asked += 1;
      // RFC 8414 section 3.3: another issuer's metadata do not count.
      if (asked <= 2) sendJson(response, 200, { issuer: issuer.url, jwks_uri: `${issuer.url}/jwks` });
      else if (request.url === '/jwks') sendJson(response, 200, { keys: [key.publicJwk] });
      else sendJson(response, 200, { issuer: url, jwks_uri: `${url}/jwks` });
    }, port);
    cleanup.add(() => late.close());
    await until(async () => (await at.ask(READ, { token })).status === 200, 'the gateway recovers');
    expect(asked).toBe(4);
  });
});
