import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CryptoKey } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { createTxnTokenReader } from '../../directives/src/claims/read-txn-token.js';
import { ManualClock } from '../support/manual-clock.js';
import { Cleanup, listen, sendJson } from '../gateway/support.js';

// RFC 7517: the gateway's published keys, by which a subgraph verifies transaction tokens.

const ISSUER = 'https://gateway.example';
const cleanup = new Cleanup();
afterEach(() => cleanup.run());

async function start() {
  const clock = new ManualClock();
  let requests = 0;
  let isFailing = false;
  let published: object[] = [];
  const server = await listen((_request, response) => {
    requests += 1;
    sendJson(response, isFailing ? 500 : 200, { keys: published });
  });
  cleanup.add(() => server.close());
  const read = createTxnTokenReader('people', { issuer: ISSUER, jwksUri: server.url }, clock);
  /** @param kid undefined for a key without a name, as its tokens have none */
  const makeKey = async (kid: string | undefined) => {
    const { privateKey, publicKey } = await generateKeyPair('EdDSA');
    const name = kid === undefined ? {} : { kid };
    return { name, privateKey, publicJwk: { ...(await exportJWK(publicKey)), ...name } };
  };
  const accepts = async ({ name, privateKey }: { name: object; privateKey: CryptoKey }): Promise<boolean> => {
    const nowSeconds = Math.floor(clock.now() / 1000);
    const token = await new SignJWT({ txn: 't', scope: '', tctx: {}, rctx: { client_id: 'c' } })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'txntoken+jwt', ...name })
      .setIssuer(ISSUER)
      .setAudience('people')
      .setSubject('s')
      .setIssuedAt(nowSeconds)
      .setExpirationTime(nowSeconds + 15)
      .sign(privateKey);
    return (await read(token)).verified !== undefined;
  };
  return {
    clock,
    makeKey,
    accepts,
    requests: () => requests,
    fail: () => {
      isFailing = true;
    },
    publish: (...keys: readonly { publicJwk: object }[]) => {
      published = keys.map(({ publicJwk }) => publicJwk);
    },
  };
}

describe('a key of the gateway', () => {
  it('that is withdrawn is accepted for a minute at most', async () => {
    const { clock, makeKey, accepts, publish, requests } = await start();
    const key = await makeKey('a');
    publish(key);
    expect(await accepts(key)).toBe(true);
    publish();
    await clock.advance(59_999);
    expect(await accepts(key)).toBe(true);
    expect(requests()).toBe(1);
    await clock.advance(1);
    expect(await accepts(key)).toBe(false);
  });

  it('ages by the wall clock as well, after the machine has slept', async () => {
    const { clock, makeKey, accepts, publish } = await start();
    const key = await makeKey('a');
    publish(key);
    expect(await accepts(key)).toBe(true);
    publish();
    clock.set(60_000);
    expect(await accepts(key)).toBe(false);
  });

  it('ages although the wall clock is set back', async () => {
    const { clock, makeKey, accepts, publish } = await start();
    const key = await makeKey('a');
    publish(key);
    expect(await accepts(key)).toBe(true);
    publish();
    clock.set(-3_600_000);
    await clock.advance(60_000);
    expect(await accepts(key)).toBe(false);
  });

  it('that is new is found once a second, however many name unknown keys', async () => {
    const { clock, makeKey, accepts, publish, requests } = await start();
    const [known, added, forged] = await Promise.all(['a', 'b', 'c'].map(makeKey));
    if (known === undefined || added === undefined || forged === undefined) throw new Error('no keys');
    publish(known);
    expect(await accepts(known)).toBe(true);
    publish(known, added);
    await clock.advance(999);
    expect(await accepts(added)).toBe(false);
    expect(requests()).toBe(1);
    await clock.advance(1);
    expect(await accepts(added)).toBe(true);
    expect(requests()).toBe(2);
    await Promise.all(Array.from({ length: 10 }, async () => expect(await accepts(forged)).toBe(false)));
    expect(requests()).toBe(2);
  });

  it.each([
    ['without a name', undefined],
    ['with a name that is used again', 'a'],
  ])('that is new, %s, is found after a pause', async (_what, kid) => {
    const { clock, makeKey, accepts, publish, requests } = await start();
    const [before, after, forged] = [await makeKey(kid), await makeKey(kid), await makeKey(kid)];
    for (const published of [[before, after], [after]]) {
      publish(before);
      await clock.advance(60_000);
      expect(await accepts(before)).toBe(true);
      publish(...published);
      const known = requests();
      await clock.advance(999);
      expect(await accepts(after)).toBe(false);
      expect(requests()).toBe(known);
      await clock.advance(1);
      const found = await Promise.all([after, forged, after, forged].map(accepts));
      expect(found).toEqual([true, false, true, false]);
      expect(requests()).toBe(known + 1);
    }
  });

  it('is asked for once a second, also while nobody answers', async () => {
    const { clock, makeKey, accepts, publish, requests, fail } = await start();
    const [key, forged] = [await makeKey(undefined), await makeKey(undefined)];
    publish(key);
    expect(await accepts(key)).toBe(true);
    fail();
    await clock.advance(1_000);
    for (let count = 0; count < 5; count += 1) expect(await accepts(forged)).toBe(false);
    expect(requests()).toBe(2);
    expect(await accepts(key)).toBe(true);
  });
});
