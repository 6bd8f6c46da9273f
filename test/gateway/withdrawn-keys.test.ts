import fc from 'fast-check';
import { exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RemoteKeys } from '../../revocation/remote-keys.js';
import type { VerificationKey } from '../../revocation/verify-by-any.js';
import { RefusedError } from '../../gateway/errors.js';
import { ManualClock } from '../support/manual-clock.js';
import { Admission } from './admission.js';
import {
  AUDIENCE,
  Cleanup,
  codes,
  compose,
  listen,
  makeKey,
  sendJson,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
  until,
} from './support.js';
import type { IssuerKey } from './support.js';
import { pause } from '../support/wait.js';

const MINUTE_MS = 60_000;
const HOUR_SECONDS = 3_600;

const cleanup = new Cleanup();
let clock: ManualClock;
beforeEach(() => {
  clock = ManualClock.running();
});
afterEach(() => cleanup.run());

async function startIssuer(algorithm?: string): Promise<TestIssuer> {
  const issuer = await TestIssuer.start(algorithm);
  cleanup.add(() => issuer.close());
  return issuer;
}

function protect(...issuers: TestIssuer[]): (token: string) => Promise<string> {
  const [first, ...others] = issuers.map(({ url }) => ({ issuer: url, audience: AUDIENCE }));
  if (first === undefined) throw new Error('no issuer');
  const admission = new Admission({
    issuers: [first, ...others.map((each, index) => ({ ...each, namespace: `other-${index}` }))],
    propagation: { issuer: 'https://gateway.example' },
    clock,
  });
  return async (token) => {
    try {
      await admission.authenticate(token);
      return 'accepted';
    } catch (error) {
      return error instanceof RefusedError ? error.refusal.code : 'failed';
    }
  };
}

/** A token that lives for hours, after its first use. */
async function usedToken(issuer: TestIssuer, show: (token: string) => Promise<string>): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const token = await issuer.mint({ iat: now, exp: now + 20 * HOUR_SECONDS });
  expect(await show(token)).toBe('accepted');
  return token;
}

const changed = (key: IssuerKey, more: Partial<JWK>): IssuerKey => ({
  ...key,
  publicJwk: { ...key.publicJwk, ...more },
});

describe('a verified token', () => {
  it.each<[string, (key: IssuerKey) => Promise<IssuerKey[]> | IssuerKey[]]>([
    ['withdrawn', async () => [await makeKey()]],
    ['withdrawn with every other', () => []],
    ['replaced by another under its name', async (key) => [changed(await makeKey(), { kid: key.kid })]],
    ['kept for encryption only', (key) => [changed(key, { use: 'enc' })]],
    ['kept for another algorithm', (key) => [changed(key, { alg: 'ES384' })]],
    ['kept for signing, not verifying', (key) => [changed(key, { key_ops: ['sign'] })]],
    ['renamed', (key) => [changed(key, { kid: 'another-name' })]],
  ])('is refused 10 minutes after its key was %s', async (_name, change) => {
    const issuer = await startIssuer();
    const show = protect(issuer);
    const token = await usedToken(issuer, show);
    const [key] = issuer.keys;
    if (key === undefined) throw new Error('no key');
    issuer.keys = await change(key);
    await clock.advance(10 * MINUTE_MS);
    expect(await show(token)).toBe('INVALID_TOKEN');
  });

  it.each(['EdDSA', 'RS256', 'PS256', 'ES256'])(
    'is refused if its key was replaced under the same name (%s)',
    async (algorithm) => {
      const issuer = await startIssuer(algorithm);
      const show = protect(issuer);
      const token = await usedToken(issuer, show);
      const [key] = issuer.keys;
      if (key === undefined) throw new Error('no key');
      issuer.keys = [changed(await makeKey(algorithm), { kid: key.kid })];
      await clock.advance(10 * MINUTE_MS);
      expect(await show(token)).toBe('INVALID_TOKEN');
    },
  );

  it('is refused sooner if in use: keys are refetched after 5 minutes', async () => {
    const issuer = await startIssuer();
    const show = protect(issuer);
    const token = await usedToken(issuer, show);
    issuer.keys = [await makeKey()];
    await clock.advance(5 * MINUTE_MS - 1_000);
    expect(await show(token)).toBe('accepted');
    await pause();
    expect(issuer.keyRequests).toBe(1);
    await clock.advance(1_000);
    // No request waits for the fetch.
    expect(await show(token)).toBe('accepted');
    await until(async () => (await show(token)) === 'INVALID_TOKEN', 'the token is refused');
    expect(issuer.keyRequests).toBe(2);
  });

  it('is accepted while its key is published, across refetches', async () => {
    const issuer = await startIssuer();
    const show = protect(issuer);
    const token = await usedToken(issuer, show);
    for (let round = 0; round < 6; round += 1) {
      const [key] = issuer.keys;
      if (key === undefined) throw new Error('no key');
      // Another certificate of the same key.
      issuer.keys = [changed(key, { x5t: `certificate-${round}` }), await makeKey()];
      await clock.advance(10 * MINUTE_MS);
      expect(await show(token)).toBe('accepted');
    }
    expect(issuer.keyRequests).toBe(7);
  });

  it('is refused while its key is missing, and verified anew on its return', async () => {
    const issuer = await startIssuer();
    const show = protect(issuer);
    const token = await usedToken(issuer, show);
    const before = issuer.keys;
    issuer.keys = [await makeKey()];
    await clock.advance(10 * MINUTE_MS);
    expect(await show(token)).toBe('INVALID_TOKEN');
    issuer.keys = before;
    // During the pause after a fetch nothing is fetched again.
    expect(await show(token)).toBe('INVALID_TOKEN');
    await clock.advance(6_000);
    expect(await show(token)).toBe('accepted');
  });

  it('is not kept by another issuer’s key of the same name', async () => {
    const [one, other] = [await startIssuer(), await startIssuer()];
    other.keys = one.keys;
    const show = protect(one, other);
    const token = await usedToken(one, show);
    const tokenOfOther = await usedToken(other, show);
    one.keys = [await makeKey()];
    await clock.advance(10 * MINUTE_MS);
    expect(await show(token)).toBe('INVALID_TOKEN');
    expect(await show(tokenOfOther)).toBe('accepted');
  });

  it('survives an unavailable issuer for 10 minutes, then nothing is permitted', async () => {
    const issuer = await startIssuer();
    const show = protect(issuer);
    const token = await usedToken(issuer, show);
    issuer.mode = 'error';
    await clock.advance(7 * MINUTE_MS);
    expect(await show(token)).toBe('accepted');
    await clock.advance(2 * MINUTE_MS);
    expect(await show(token)).toBe('accepted');
    await clock.advance(MINUTE_MS);
    expect(await show(token)).toBe('ISSUER_KEYS_UNAVAILABLE');
    issuer.mode = 'html';
    expect(await show(token)).toBe('ISSUER_KEYS_UNAVAILABLE');
    issuer.mode = 'up';
    expect(await show(token)).toBe('accepted');
  });

  it('by an unknown key is undecided while the key set is unavailable', async () => {
    const issuer = await startIssuer();
    const show = protect(issuer);
    await usedToken(issuer, show);
    issuer.keys = [await makeKey()];
    const token = await issuer.mint();
    issuer.mode = 'error';
    await clock.advance(6_000);
    // The second within the pause after the first.
    expect([await show(token), await show(token)]).toEqual([
      'ISSUER_KEYS_UNAVAILABLE',
      'ISSUER_KEYS_UNAVAILABLE',
    ]);
    expect(issuer.keyRequests).toBe(2);
    issuer.mode = 'up';
    await clock.advance(6_000);
    expect(await show(token)).toBe('accepted');
  });

  it('is refused before any subgraph request', async () => {
    const issuer = await startIssuer();
    const people = await TestSubgraph.start('people');
    cleanup.add(() => people.close());
    const issuers = [{ issuer: issuer.url, audience: AUDIENCE }] as const;
    const gateway = await startTestGateway(cleanup, compose(people), { issuers }, { clock });
    const now = Math.floor(Date.now() / 1000);
    const token = await issuer.mint({ scope: 'name', iat: now, exp: now + 20 * HOUR_SECONDS });
    expect((await gateway.ask('{ me { name } }', { token })).status).toBe(200);
    people.requests.length = 0;
    issuer.keys = [await makeKey()];
    await clock.advance(10 * MINUTE_MS);
    const answer = await gateway.ask('{ me { name } }', { token });
    expect([answer.status, ...codes(answer)]).toEqual([401, 'INVALID_TOKEN']);
    expect(people.requests).toEqual([]);
  });

  it('is not kept by an abandoned key set; metadata are always reread', async () => {
    let place = 'before';
    const [old, next] = [await makeKey(), await makeKey()];
    const server = await listen((request, response) => {
      if (request.url === '/jwks/before') sendJson(response, 200, { keys: [old.publicJwk] });
      else if (request.url === '/jwks/after') sendJson(response, 200, { keys: [next.publicJwk] });
      else sendJson(response, 200, { issuer: server.url, jwks_uri: `${server.url}/jwks/${place}` });
    });
    cleanup.add(() => server.close());
    const minter = await startIssuer();
    minter.keys = [old];
    const admission = new Admission({
      issuers: [{ issuer: server.url, audience: AUDIENCE }],
      propagation: { issuer: 'https://gateway.example' },
      clock,
    });
    const now = Math.floor(Date.now() / 1000);
    const token = await minter.mint({ iss: server.url, iat: now, exp: now + HOUR_SECONDS });
    const show = () => admission.authenticate(token);
    await show();
    place = 'after';
    await clock.advance(10 * MINUTE_MS);
    await expect(show()).rejects.toMatchObject({ refusal: { code: 'INVALID_TOKEN' } });
  });
});

describe('a remote key set (RFC 7517)', () => {
  async function publish(first: readonly object[]) {
    const published: { keys: unknown; status: number; requests: number; more: object } = {
      keys: first,
      status: 200,
      requests: 0,
      more: {},
    };
    const server = await listen((_request, response) => {
      published.requests += 1;
      sendJson(response, published.status, { keys: published.keys, ...published.more });
    });
    cleanup.add(() => server.close());
    const keys = new RemoteKeys({ locate: async () => server.url, cooldownMs: 1_000, clock });
    const find = async (kid: string): Promise<VerificationKey | undefined> => {
      try {
        const header = { alg: 'ES256', kid };
        return (await keys.candidates(header))[0]?.key;
      } catch {
        return undefined;
      }
    };
    return { published, keys, find };
  }

  it('holds a key exactly while answers contain it unchanged (property)', async () => {
    const pairs = await Promise.all([1, 2, 3].map(() => generateKeyPair('ES256', { extractable: true })));
    const material = await Promise.all(pairs.map(({ publicKey }) => exportJWK(publicKey)));
    const { published, keys, find } = await publish([]);
    const jwk = fc.record({
      kid: fc.constantFrom('a', 'b'),
      of: fc.integer({ min: 0, max: 2 }),
      use: fc.constantFrom('sig', 'enc'),
    });
    const sets = fc.uniqueArray(jwk, { maxLength: 2, selector: ({ kid }) => kid });
    const write = ({ kid, of, use }: { kid: string; of: number; use: string }) => ({
      ...material[of],
      kid,
      use,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(sets, { minLength: 2, maxLength: 6 }), async (answers) => {
        const seen: { readonly key: VerificationKey; readonly written: string; isThere: boolean }[] = [];
        for (const answer of answers) {
          published.keys = answer.map(write);
          await keys.refresh();
          for (const each of seen) {
            each.isThere &&= answer.some((one) => JSON.stringify(one) === each.written);
            expect(keys.holds(each.key)).toBe(each.isThere);
          }
          for (const each of answer.filter(({ use }) => use === 'sig')) {
            const key = await find(each.kid);
            if (key === undefined) throw new Error('not found');
            if (!seen.some((one) => one.key === key))
              seen.push({ key, written: JSON.stringify(each), isThere: true });
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it.each<[string, unknown]>([
    ['no list of keys', 'x'],
    ['an invalid key', [7]],
    ['more keys than anybody has', Array.from({ length: 101 }, () => ({ kty: 'EC' }))],
  ])('that is answered with %s changes nothing', async (_name, answer) => {
    const { publicJwk, kid } = await makeKey();
    const { published, keys, find } = await publish([publicJwk]);
    const key = await find(kid);
    if (key === undefined) throw new Error('not found');
    published.keys = answer;
    await expect(keys.refresh()).rejects.toMatchObject({ reason: 'ANSWER' });
    expect(keys.holds(key)).toBe(true);
  });

  it('larger than a megabyte is not read to its end', async () => {
    const { published, keys } = await publish([]);
    published.more = { filler: 'x'.repeat(1024 * 1024) };
    await expect(keys.refresh()).rejects.toMatchObject({ reason: 'ANSWER' });
  });

  it('is refetched if its change was announced during a fetch', async () => {
    const [before, after] = [await makeKey(), await makeKey()];
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let requests = 0;
    const server = await listen(async (_request, response) => {
      requests += 1;
      const isFirst = requests === 1;
      if (isFirst) await held;
      sendJson(response, 200, { keys: [isFirst ? before.publicJwk : after.publicJwk] });
    });
    cleanup.add(() => server.close());
    const keys = new RemoteKeys({ locate: async () => server.url });
    const first = keys.freshen();
    await until(() => requests === 1, 'a request arrived');
    const announced = keys.refresh();
    release();
    await Promise.all([first, announced]);
    expect(requests).toBe(2);
    const header = { alg: 'ES256', kid: after.kid };
    expect((await keys.candidates(header))[0]?.key.keyId).toBe(after.kid);
  });

  it('expires after 10 minutes even if the wall clock goes back', async () => {
    const { publicJwk, kid } = await makeKey();
    const { published, keys, find } = await publish([publicJwk]);
    const key = await find(kid);
    if (key === undefined) throw new Error('not found');
    published.keys = [];
    clock.set(-60 * MINUTE_MS);
    await clock.advance(10 * MINUTE_MS);
    await keys.freshen();
    expect(keys.holds(key)).toBe(false);
  });

  it('dates from its request, however late the answer', async () => {
    const { publicJwk } = await makeKey();
    const late = await listen(async (_request, response) => {
      await clock.advance(6 * MINUTE_MS);
      sendJson(response, 200, { keys: [publicJwk] });
    });
    cleanup.add(() => late.close());
    let asked = 0;
    const keys = new RemoteKeys({
      locate: async () => {
        asked += 1;
        return late.url;
      },
      clock,
    });
    await keys.freshen();
    expect(keys.freshen()).toBeUndefined();
    // In the background, at once.
    expect(asked).toBe(2);
  });

  it('is refetched once for concurrent unknown names, after a pause', async () => {
    const { publicJwk, kid } = await makeKey();
    const { published, find } = await publish([publicJwk]);
    expect(await find(kid)).toBeDefined();
    await Promise.all(Array.from({ length: 10 }, () => find('unknown')));
    expect(published.requests).toBe(1);
    await clock.advance(1_001);
    await Promise.all(Array.from({ length: 10 }, () => find('unknown')));
    expect(published.requests).toBe(2);
  });
});
