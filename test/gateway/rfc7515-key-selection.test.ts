import { generateKeyPairSync } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Issuers } from '../../gateway/authenticate/issuers.js';
import { ManualClock } from '../support/manual-clock.js';
import { AUDIENCE, Cleanup, makeKey, TestIssuer } from './support.js';
import type { IssuerKey } from './support.js';

// RFC 7515 appendix D: a token that does not name its key is verified by any key that can have signed it.

const cleanup = new Cleanup();
let issuer: TestIssuer;
let issuers: Issuers;
let clock: ManualClock;

beforeEach(async () => {
  issuer = await TestIssuer.start();
  cleanup.add(() => issuer.close());
  clock = ManualClock.running();
  issuers = new Issuers([{ issuer: issuer.url, audience: AUDIENCE }], undefined, clock);
});
afterEach(() => cleanup.run());

const nameless = (key: IssuerKey): Promise<string> => issuer.mint({}, { key, header: { kid: undefined } });

const accepts = (token: string): Promise<boolean> =>
  issuers.verify(token).then(
    () => true,
    () => false,
  );

const renamed = (key: IssuerKey, more: Readonly<Record<string, unknown>>): IssuerKey => ({
  ...key,
  publicJwk: { ...key.publicJwk, ...more },
});

/** As many keys as are tried at most, and one more. */
const manyKeys = (): Promise<IssuerKey[]> => Promise.all(Array.from({ length: 17 }, () => makeKey()));

describe('a token without kid', () => {
  it('is verified by the only key of its algorithm', async () => {
    const [key = await makeKey()] = issuer.keys;
    issuer.keys = [await makeKey('EdDSA'), key, await makeKey('PS256')];
    expect(await accepts(await nameless(key))).toBe(true);
  });

  it('is verified by either of two keys of its algorithm', async () => {
    const [one, other] = [await makeKey(), await makeKey()];
    issuer.keys = [one, other];
    expect(await accepts(await nameless(one))).toBe(true);
    expect(await accepts(await nameless(other))).toBe(true);
  });

  it('is verified by keys that have no kid either', async () => {
    const keys = [await makeKey(), await makeKey()];
    issuer.keys = keys.map((key) => renamed(key, { kid: undefined }));
    for (const key of keys) expect(await accepts(await nameless(key))).toBe(true);
  });

  it('is verified beside a key that cannot be used, and one for encryption', async () => {
    const key = await makeKey();
    issuer.keys = [
      renamed(await makeKey(), { x: 'AAAA' }),
      renamed(await makeKey(), { use: 'enc' }),
      renamed(await makeKey(), { crv: 'P-999' }),
      key,
    ];
    expect(await accepts(await nameless(key))).toBe(true);
  });

  it('is verified by a new key, of which the key set tells after a pause', async () => {
    const [before, after] = [await makeKey(), await makeKey()];
    issuer.keys = [before];
    expect(await accepts(await nameless(before))).toBe(true);
    issuer.keys = [before, after];
    expect(await accepts(await nameless(after))).toBe(false);
    await clock.advance(6_000);
    expect(await accepts(await nameless(after))).toBe(true);
    expect(issuer.keyRequests).toBe(2);
  });

  it('is refused if no key has signed it, without a fetch for each', async () => {
    issuer.keys = [await makeKey(), await makeKey()];
    const strangers = await Promise.all([1, 2, 3, 4].map(async () => nameless(await makeKey())));
    for (const token of strangers)
      await expect(issuers.verify(token)).rejects.toMatchObject({
        refusal: { code: 'INVALID_TOKEN', reason: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' },
      });
    expect(issuer.keyRequests).toBe(1);
  });

  it('is tried with 16 keys at most', async () => {
    const keys = await manyKeys();
    issuer.keys = keys;
    const [first, last] = [keys[15], keys[16]];
    if (first === undefined || last === undefined) throw new Error('too few keys');
    expect(await accepts(await nameless(first))).toBe(true);
    expect(await accepts(await nameless(last))).toBe(false);
  });

  it('is refused for another reason, whichever key has signed it', async () => {
    const [one, other] = [await makeKey(), await makeKey()];
    issuer.keys = [one, other];
    const expired = await issuer.mint({ exp: 1 }, { key: other, header: { kid: undefined } });
    await expect(issuers.verify(expired)).rejects.toMatchObject({
      refusal: { code: 'INVALID_TOKEN', reason: 'ERR_JWT_EXPIRED' },
    });
  });
});

describe('a token whose kid two keys have', () => {
  it('is verified by either', async () => {
    const [one, other] = [await makeKey(), await makeKey()];
    issuer.keys = [renamed(one, { kid: 'shared' }), renamed(other, { kid: 'shared' }), await makeKey()];
    for (const key of [one, other])
      expect(await accepts(await issuer.mint({}, { key, header: { kid: 'shared' } }))).toBe(true);
  });

  it('is verified by the one of its algorithm', async () => {
    const [one, other] = [await makeKey('ES256'), await makeKey('EdDSA')];
    issuer.keys = [renamed(one, { kid: 'shared' }), renamed(other, { kid: 'shared' })];
    for (const key of [one, other])
      expect(await accepts(await issuer.mint({}, { key, header: { kid: 'shared' } }))).toBe(true);
  });

  it('is not verified by a key of another name', async () => {
    const [one, other, third] = [await makeKey(), await makeKey(), await makeKey()];
    issuer.keys = [renamed(one, { kid: 'shared' }), renamed(other, { kid: 'shared' }), third];
    expect(await accepts(await issuer.mint({}, { key: third, header: { kid: 'shared' } }))).toBe(false);
  });
});

it('a token that names its key is not tried with others, and forged ones fetch once in a pause', async () => {
  const [one, other] = [await makeKey(), await makeKey()];
  issuer.keys = [one, other];
  expect(await accepts(await issuer.mint({}, { key: one }))).toBe(true);
  await clock.advance(6_000);
  const forged = await issuer.mint({}, { key: one, header: { kid: other.kid } });
  for (let count = 0; count < 5; count += 1)
    await expect(issuers.verify(forged)).rejects.toMatchObject({
      refusal: { code: 'INVALID_TOKEN', reason: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' },
    });
  expect(issuer.keyRequests).toBe(2);
});

it.each([
  ['beside the one before', true],
  ['in its place', false],
])('a key whose name another one had, %s, is found after a pause', async (_where, keepsBefore) => {
  const [before, after] = [await makeKey(), await makeKey()].map((key) => ({
    ...renamed(key, { kid: 'sig' }),
    kid: 'sig',
  }));
  if (before === undefined || after === undefined) throw new Error('no keys');
  issuer.keys = [before];
  expect(await accepts(await issuer.mint({}, { key: before }))).toBe(true);
  issuer.keys = keepsBefore ? [before, after] : [after];
  expect(await accepts(await issuer.mint({}, { key: after }))).toBe(false);
  await clock.advance(6_000);
  const tokens = await Promise.all([1, 2, 3].map((n) => issuer.mint({ n }, { key: after })));
  expect(await Promise.all(tokens.map(accepts))).toEqual([true, true, true]);
  expect(issuer.keyRequests).toBe(2);
  expect(await accepts(await issuer.mint({}, { key: before }))).toBe(keepsBefore);
});

it('an unknown key is waited for by every token that comes while it is fetched', async () => {
  const [before, after] = [await makeKey(), await makeKey()];
  issuer.keys = [before];
  expect(await accepts(await issuer.mint({}, { key: before }))).toBe(true);
  issuer.keys = [before, after];
  await clock.advance(6_000);
  const tokens = await Promise.all([1, 2, 3].map((n) => issuer.mint({ n }, { key: after })));
  expect(await Promise.all(tokens.map(accepts))).toEqual([true, true, true]);
  expect(issuer.keyRequests).toBe(2);
});

it('copies of one key are one of those that are tried', async () => {
  const [copied, key] = [await makeKey(), await makeKey()];
  const copies = Array.from({ length: 20 }, (_each, index) => renamed(copied, { kid: `copy-${index}` }));
  issuer.keys = [...copies, ...copies, key];
  expect(await accepts(await nameless(key))).toBe(true);
  expect(await accepts(await nameless(copied))).toBe(true);
});

it('an RSA key that is too short does not stop others from being tried', async () => {
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
  const key = await makeKey('PS256');
  issuer.keys = [{ ...key, publicJwk: { ...short, use: 'sig' } }, key];
  expect(await accepts(await nameless(key))).toBe(true);
});

it('a token without a signature that any algorithm knows is refused before keys are tried', async () => {
  const key = await makeKey('HS256').catch(() => undefined);
  expect(key).toBeUndefined();
  const token = await new SignJWT(issuer.claims())
    .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
    .sign(new Uint8Array(32));
  await expect(issuers.verify(token)).rejects.toMatchObject({
    refusal: { code: 'INVALID_TOKEN', reason: 'ERR_JOSE_ALG_NOT_ALLOWED' },
  });
  expect(issuer.keyRequests).toBe(0);
});
