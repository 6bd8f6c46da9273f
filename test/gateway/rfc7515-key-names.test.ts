import { afterEach, beforeEach, expect, it } from 'vitest';
import { Issuers } from '../../gateway/authenticate/issuers.js';
import { ManualClock } from '../support/manual-clock.js';
import { AUDIENCE, Cleanup, makeKey, TestIssuer } from './support.js';

// RFC 7515 section 4.1.4: `kid` is a text. Anything else there is as good as no name (appendix D).

const cleanup = new Cleanup();
let issuer: TestIssuer;
let issuers: Issuers;

beforeEach(async () => {
  issuer = await TestIssuer.start();
  cleanup.add(() => issuer.close());
  issuers = new Issuers([{ issuer: issuer.url, audience: AUDIENCE }], undefined, ManualClock.running());
});
afterEach(() => cleanup.run());

it.each([[null], [5], [true], [['a']], [{ name: 'a' }]])('a kid of %j names no key', async (kid) => {
  const [one, other] = [await makeKey(), await makeKey()];
  issuer.keys = [one, other];
  for (const key of [one, other]) {
    const token = await issuer.mint({}, { key, header: { kid: kid } });
    await expect(issuers.verify(token)).resolves.toBeDefined();
  }
  const stranger = await issuer.mint({}, { key: await makeKey(), header: { kid: kid } });
  await expect(issuers.verify(stranger)).rejects.toMatchObject({ refusal: { code: 'INVALID_TOKEN' } });
});

it('an empty kid is a name, which no key has', async () => {
  const [key = await makeKey()] = issuer.keys;
  const token = await issuer.mint({}, { key, header: { kid: '' } });
  await expect(issuers.verify(token)).rejects.toMatchObject({ refusal: { code: 'INVALID_TOKEN' } });
});
