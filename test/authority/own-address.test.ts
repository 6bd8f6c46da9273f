import { randomUUID } from 'node:crypto';

import fc from 'fast-check';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ALMA } from './oauth-setup.js';
import { rawRequest, type RawAnswer, type RawRequest } from './raw-request.js';
import { authorizationTarget, cookieHeader, cookiesOf } from './sign-in-setup.js';
import { AUDIENCE, REDIRECT_URI, startTestAuthority, type TestAuthority } from './setup.js';

const HTTPS_ISSUER = 'https://login.example';
const DISCOVERY = '/.well-known/openid-configuration';
const PUBLIC = [DISCOVERY, '/.well-known/oauth-authorization-server', '/.well-known/ssf-configuration'];

let plain: TestAuthority;
let secure: TestAuthority;
beforeAll(async () => {
  [plain, secure] = await Promise.all([startTestAuthority(), startTestAuthority({ issuer: HTTPS_ISSUER })]);
});
afterAll(async () => {
  await plain.close();
  await secure.close();
});

async function ask(authority: TestAuthority, request: RawRequest): Promise<RawAnswer> {
  return rawRequest(authority.authority.url, request);
}

/** Every absolute address in a response, except the client's own, which the request names, and the API's, which is configured. */
function addressesIn({ headers, text }: RawAnswer): readonly string[] {
  const found = `${text} ${JSON.stringify(headers)}`.match(/\bhttps?:\/\/[^\s"'<>\\;,]*/g) ?? [];
  return found.filter((address) => !address.startsWith('http://127.0.0.1:45678') && address !== AUDIENCE);
}

const HOSTILE: readonly (readonly [string, Readonly<Record<string, string | readonly string[]>>])[] = [
  ['Host', { host: 'evil.example' }],
  ['Host with a port', { host: 'evil.example:8443' }],
  ['Host with a user', { host: 'login.example@evil.example' }],
  ['X-Forwarded-Host', { 'x-forwarded-host': 'evil.example' }],
  ['several in X-Forwarded-Host', { 'x-forwarded-host': ['evil.example', 'worse.example'] }],
  ['X-Forwarded-Proto', { 'x-forwarded-proto': 'http' }],
  ['an invalid scheme', { 'x-forwarded-proto': 'evil.example/x' }],
  ['Forwarded', { forwarded: 'host=evil.example;proto=http' }],
  ['all of them', { host: 'a.example', 'x-forwarded-host': 'b.example', forwarded: 'host=c.example' }],
];

describe('the authority takes its own address from its issuer', () => {
  it.each(HOSTILE)('%s changes no address in its metadata', async (_, headers) => {
    for (const authority of [plain, secure]) {
      for (const target of PUBLIC) {
        const answer = await ask(authority, { target, headers });
        expect(answer.status).toBe(200);
        const addresses = addressesIn(answer);
        expect(addresses.length).toBeGreaterThan(2);
        for (const address of addresses) expect(new URL(address).origin).toBe(authority.issuer);
      }
    }
  });

  it.each([
    ['http://evil.example/.well-known/openid-configuration', 200],
    ['https://evil.example:99/.well-known/openid-configuration?x=https:', 200],
    ['HTTP://evil.example/.well-known/openid-configuration', 200],
    ['//evil.example/.well-known/openid-configuration', 404],
    ['/\\evil.example/.well-known/openid-configuration', 404],
    ['ftp://evil.example/.well-known/openid-configuration', 400],
    ['evil.example', 400],
    ['*', 400],
  ])('RFC 9112 section 3.2: the request target %s names no other host', async (target, status) => {
    for (const authority of [plain, secure]) {
      const answer = await ask(authority, { target });
      expect(answer.status).toBe(status);
      for (const address of addressesIn(answer)) expect(new URL(address).origin).toBe(authority.issuer);
    }
  });

  it('an https issuer never advertises http, whatever the proxy says or leaves out', async () => {
    for (const headers of [{}, { 'x-forwarded-proto': 'http' }, { 'x-forwarded-proto': '' }]) {
      const { text } = await ask(secure, { target: DISCOVERY, headers });
      expect(text).toContain('https://login.example/jwks');
      expect(text).not.toContain('http://');
    }
  });

  it('no hostile header changes an address on any page or document (property)', async () => {
    const host = fc.constantFrom(
      'evil.example',
      'evil.example:1',
      '[::1]:2',
      'x@evil.example',
      '',
      'a b',
      '%',
    );
    const value = fc.oneof(host, fc.constantFrom('http', 'https', 'HTTPS, http', 'host="evil.example"'));
    const names = [
      'host',
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-forwarded-port',
      'forwarded',
      'x-host',
    ];
    const headers = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 6 });
    const targets = [
      ...PUBLIC,
      '/sign-out',
      '/auth',
      '/jwks',
      '/token',
      '/interaction/x',
      authorizationTarget(),
    ];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...targets), headers, fc.boolean(), async (target, told, isSecure) => {
        const authority = isSecure ? secure : plain;
        const answer = await ask(authority, { target, headers: { host: 'evil.example', ...told } });
        expect(answer.status).toBeLessThan(500);
        for (const address of addressesIn(answer)) expect(new URL(address).origin).toBe(authority.issuer);
        expect(JSON.stringify(answer)).not.toContain('evil.example');
      }),
      { numRuns: 120 },
    );
  });
});

it('a forged Host reaches no redirect, and cookies stay Secure', async () => {
  const forged = { host: 'evil.example', 'x-forwarded-host': 'evil.example' };
  for (const authority of [plain, secure]) {
    const first = await ask(authority, { target: authorizationTarget(), headers: forged });
    expect(first.status).toBe(303);
    expect(cookiesOf(first).length).toBeGreaterThan(1);
    expect(cookiesOf(first).every((line) => /; secure/i.test(line) === (authority === secure))).toBe(true);
    const form = { username: ALMA.user, password: ALMA.password, do: 'sign-in' };
    const second = await ask(authority, {
      target: String(first.headers['location']),
      method: 'POST',
      headers: {
        ...forged,
        cookie: cookieHeader(first),
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams(form).toString(),
    });
    expect(second.status).toBe(303);
    expect(String(second.headers['location'])).toMatch(/^\/auth\/[\w-]+$/);
  }
});

describe('RFC 9449 section 4.3: a DPoP proof must name the issuer’s token endpoint', () => {
  const INVALID_PROOF = { error: 'invalid_dpop_proof' };

  async function redeem(provenFor: string, headers: Readonly<Record<string, string>>): Promise<unknown> {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const proof = await new SignJWT({ htm: 'POST', htu: provenFor, jti: randomUUID() })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(publicKey) })
      .setIssuedAt()
      .sign(privateKey);
    const form = { grant_type: 'authorization_code', client_id: 'budget-app', redirect_uri: REDIRECT_URI };
    const answer = await ask(secure, {
      target: '/token',
      method: 'POST',
      headers: { ...headers, dpop: proof, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ ...form, code: 'none', code_verifier: 'v'.repeat(43) }).toString(),
    });
    return JSON.parse(answer.text);
  }

  it.each([
    ['Host', { host: 'evil.example' }, 'http://evil.example/token'],
    ['X-Forwarded-Host', { 'x-forwarded-host': 'evil.example' }, 'https://evil.example/token'],
    ['X-Forwarded-Proto', { 'x-forwarded-proto': 'http' }, 'http://login.example/token'],
  ])('not the one in %s', async (_, headers, forged) => {
    expect(await redeem(forged, headers)).toMatchObject(INVALID_PROOF);
    expect(await redeem(`${HTTPS_ISSUER}/token`, headers)).not.toMatchObject(INVALID_PROOF);
  });
});

describe('RFC 9111: metadata and keys can be cached', () => {
  it.each([...PUBLIC.slice(0, 2), '/jwks'])('%s: for a minute', async (target) => {
    const { headers } = await ask(plain, { target });
    expect(headers['cache-control']).toBe('public, max-age=60');
  });

  it('an unknown path does not say so', async () => {
    const { headers, status } = await ask(plain, { target: '/.well-known/openid-configuration/x' });
    expect([status, headers['cache-control']]).toEqual([404, 'no-store']);
  });
});
