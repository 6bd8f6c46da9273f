import { CompactSign } from 'jose';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { refuseLongLived } from '../../gateway/authenticate/lifetime.js';
import type { IssuerOptions } from '../../gateway/authenticate/issuers.js';
import { RefusedError } from '../../gateway/errors.js';
import { checkConfig } from '../../gateway/index.js';
import type { RevocationOptions } from '../../gateway/options/protection-options.js';
import { Admission } from './admission.js';
import { AUDIENCE, Cleanup, listen, sendJson, TestIssuer, until } from './support.js';
import { Transmitter } from '../revocation/transmitter.js';

const HOUR = 3_600;
const DAY = 24 * HOUR;

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

interface Set {
  readonly issuer?: Partial<IssuerOptions>;
  readonly revocation?: Omit<RevocationOptions, 'streams'>;
  readonly hasStream?: boolean;
}

/** Why a token with these claims is refused, or `accepted`. */
async function start({ issuer: more = {}, revocation = {}, hasStream = false }: Set = {}) {
  const minter = await TestIssuer.start();
  cleanup.add(() => minter.close());
  const transmitter = await Transmitter.start();
  cleanup.add(() => transmitter.close());
  const iss = transmitter.url;
  const admission = new Admission({
    issuers: [{ issuer: iss, audience: AUDIENCE, jwksUri: `${minter.url}/jwks`, ...more }],
    propagation: { issuer: 'https://gateway.example' },
    ...(hasStream ? { revocation: { ...revocation, streams: [{ issuer: iss, secret: 's' }] } } : {}),
  });
  const { revocations } = admission.protection;
  cleanup.add(() => revocations?.close());
  revocations?.start();
  await until(() => revocations?.view.isFresh() !== false, 'the view is fresh');
  const show = async (token: string): Promise<string> => {
    try {
      await admission.authenticate(token);
      return 'accepted';
    } catch (error) {
      return error instanceof RefusedError ? (error.refusal.reason ?? error.refusal.code) : String(error);
    }
  };
  const now = Math.floor(Date.now() / 1000);
  const living = async (seconds: number): Promise<string> =>
    show(await minter.mint({ iss, iat: now, exp: now + seconds }));
  return { living, show, minter, iss, now };
}

describe('a token with a longer lifetime than its issuer allows', () => {
  it.each<[string, Set, number]>([
    ['24 hours without a stream', {}, DAY],
    ['1 hour with a stream', { hasStream: true }, HOUR],
    ['what the issuer’s entry says', { issuer: { maxTokenLifetimeSeconds: 300 } }, 300],
    [
      'what it says, with a stream',
      { issuer: { maxTokenLifetimeSeconds: 2 * HOUR }, hasStream: true },
      2 * HOUR,
    ],
    [
      'what the streams’ default says',
      { revocation: { maxTokenLifetimeSeconds: 600 }, hasStream: true },
      600,
    ],
    [
      'what the entry says before what the streams’ default says',
      {
        issuer: { maxTokenLifetimeSeconds: 60 },
        revocation: { maxTokenLifetimeSeconds: 600 },
        hasStream: true,
      },
      60,
    ],
  ])('is refused: %s', async (_name, set, seconds) => {
    const { living } = await start(set);
    expect(await living(seconds)).toBe('accepted');
    expect(await living(seconds + 1)).toBe('LIFETIME');
    expect(await living(10 * 365 * DAY)).toBe('LIFETIME');
    expect(await living(Number.MAX_SAFE_INTEGER)).toBe('LIFETIME');
  });

  it.each<[string, (now: number) => string, string]>([
    ['no time of issue', (now) => `"exp":${now + 60}`, 'ERR_JWT_CLAIM_VALIDATION_FAILED'],
    ['no end', (now) => `"iat":${now}`, 'ERR_JWT_CLAIM_VALIDATION_FAILED'],
    ['an end that is read as Infinity', (now) => `"iat":${now},"exp":1e999`, 'TIME_MALFORMED'],
    ['both read as Infinity', () => `"iat":1e999,"exp":1e999`, 'TIME_MALFORMED'],
    ['a time of issue long before time', (now) => `"iat":-1e999,"exp":${now + 60}`, 'TIME_MALFORMED'],
    ['a time of issue of the year 0', (now) => `"iat":-62167219200,"exp":${now + 60}`, 'LIFETIME'],
    [
      'a time of issue in the future, close to its end',
      (now) => `"iat":${now + 9 * DAY},"exp":${now + 9 * DAY + 60}`,
      'ISSUED_IN_FUTURE',
    ],
    ['a time of issue after its end', (now) => `"iat":${now + DAY},"exp":${now + 60}`, 'ISSUED_IN_FUTURE'],
    ['a time of issue just ahead', (now) => `"iat":${now + 3},"exp":${now + 60}`, 'accepted'],
    ['a part of a second too much', (now) => `"iat":${now - 0.5},"exp":${now + DAY}`, 'LIFETIME'],
  ])('with %s: %s', async (_name, times, expected) => {
    const { show, minter, iss, now } = await start();
    const [key] = minter.keys;
    if (key === undefined) throw new Error('no key');
    const text = `{"iss":${JSON.stringify(iss)},"aud":${JSON.stringify(AUDIENCE)},"sub":"s","client_id":"c",${times(now)}}`;
    const token = await new CompactSign(new TextEncoder().encode(text))
      .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'at+jwt' })
      .sign(key.privateKey);
    expect(await show(token)).toBe(expected);
  });

  it.each<[string, object, string]>([
    ['that lives as long as it may', { exp: DAY }, 'accepted'],
    ['that lives for a second more', { exp: DAY + 1 }, 'LIFETIME'],
    ['that never ends', { exp: 1e15 }, 'LIFETIME'],
    ['from the future', { iat: DAY, exp: DAY + 60 }, 'ISSUED_IN_FUTURE'],
  ])('is refused when opaque, on each request: one %s', async (_name, times, expected) => {
    const now = Math.floor(Date.now() / 1000);
    const shifted = Object.fromEntries(
      Object.entries(times).map(([name, seconds]) => [name, now + Number(seconds)]),
    );
    const asked = await listen((_request, response) =>
      sendJson(response, 200, {
        active: true,
        aud: AUDIENCE,
        token_type: 'Bearer',
        sub: 's',
        client_id: 'c',
        iat: now,
        ...shifted,
      }),
    );
    cleanup.add(() => asked.close());
    const introspection = { endpoint: asked.url, clientId: 'gateway', clientSecret: 'secret' };
    const { show } = await start({ issuer: { introspection } });
    for (let round = 0; round < 2; round += 1) expect(await show('opaque-token')).toBe(expected);
  });

  it('is refused whatever its times: none outlives the bound from now (property)', () => {
    const nowMs = Date.now();
    const times = fc.oneof(
      fc.double(),
      fc.integer({ min: -100_000, max: 100_000 }).map((offset) => nowMs / 1000 + offset),
    );
    fc.assert(
      fc.property(times, times, fc.integer({ min: 1, max: DAY }), (iat, exp, bound) => {
        let isRefused = false;
        try {
          refuseLongLived({ iat, exp }, bound, { now: () => nowMs });
        } catch {
          isRefused = true;
        }
        if (!isRefused) expect(exp).toBeLessThanOrEqual(nowMs / 1000 + 5 + bound);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the configured lifetime', () => {
  const issuer = { issuer: 'https://issuer.example', audience: AUDIENCE };
  const streams = [{ issuer: issuer.issuer, secret: 's' }];

  it.each<[string, object, string]>([
    [
      'of no time',
      { issuers: [{ ...issuer, maxTokenLifetimeSeconds: 0 }] },
      'issuers[0].maxTokenLifetimeSeconds',
    ],
    [
      'of half a second',
      { issuers: [{ ...issuer, maxTokenLifetimeSeconds: 0.5 }] },
      'issuers[0].maxTokenLifetimeSeconds',
    ],
    [
      'longer than a stream can tell of',
      { issuers: [{ ...issuer, maxTokenLifetimeSeconds: DAY + 1 }], revocation: { streams } },
      'issuers[0].maxTokenLifetimeSeconds',
    ],
    [
      'longer than streams can tell of',
      { issuers: [issuer], revocation: { streams, maxTokenLifetimeSeconds: DAY + 1 } },
      'revocation.maxTokenLifetimeSeconds',
    ],
  ])('%s stops the start', (_name, config, path) => {
    expect(() => checkConfig({ supergraph: './s.graphql', audit: { mode: 'off' }, ...config })).toThrow(path);
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
    '%s stops the start of the library',
    (seconds) => {
      const make = () =>
        new Admission({
          issuers: [{ ...issuer, maxTokenLifetimeSeconds: seconds }],
          propagation: { issuer: 'https://gateway.example' },
        });
      expect(make).toThrow('issuers[0].maxTokenLifetimeSeconds');
    },
  );
});
