import { randomUUID } from 'node:crypto';

import { calculateJwkThumbprint, exportJWK, SignJWT } from 'jose';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { BrowserlessPerson } from '../support/person.js';
import {
  ALMA,
  application,
  claimsOf,
  connect,
  discoverAs,
  post,
  REDIRECT_URI,
  withClients,
} from './oauth-setup.js';
import { authorizationRequest, discover, startTestAuthority, type TestAuthority } from './setup.js';

let authority: TestAuthority;
let keys: oidc.CryptoKeyPair;
beforeAll(async () => {
  keys = await oidc.randomDPoPKeyPair('ES256');
  authority = await startTestAuthority(
    withClients([application('careful-app', { senderConstraint: 'dpop' })], {
      'careful-app': { scopes: ['accounts:read'], purposes: ['budgeting'] },
    }),
  );
});
afterAll(() => authority.close());

async function thumbprint(pair = keys): Promise<string> {
  return calculateJwkThumbprint(await exportJWK(pair.publicKey));
}

/** A code for `careful-app`, not redeemed yet. */
async function code(more: Record<string, string> = {}) {
  const client = await discoverAs(authority, 'careful-app');
  const request = await authorizationRequest(client, 'accounts:read', more);
  const { callbackUrl } = await new BrowserlessPerson().follow(request.url, ALMA);
  return {
    grant_type: 'authorization_code',
    client_id: 'careful-app',
    redirect_uri: REDIRECT_URI,
    code: callbackUrl.searchParams.get('code') ?? '',
    code_verifier: request.verifier,
  };
}

interface Changed {
  readonly claims?: Record<string, unknown>;
  readonly header?: Record<string, unknown>;
}

async function proof({ claims = {}, header = {} }: Changed = {}, pair = keys): Promise<string> {
  const whole = {
    htm: 'POST',
    htu: `${authority.issuer}/token`,
    jti: randomUUID(),
    iat: Math.floor(Date.now() / 1000),
    ...claims,
  };
  const jwk = await exportJWK(pair.publicKey);
  return new SignJWT(whole)
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk, ...header })
    .sign(pair.privateKey);
}

/** The nonce that the authority gives to a client without one. */
async function nonce(): Promise<string> {
  const answer = await redeem(NO_CODE, await proof());
  expect(answer).toMatchObject({ status: 400, body: { error: 'use_dpop_nonce' } });
  return answer.headers.get('dpop-nonce') ?? '';
}

const NO_CODE = {
  grant_type: 'authorization_code',
  client_id: 'careful-app',
  redirect_uri: REDIRECT_URI,
  code: 'none',
  code_verifier: 'x'.repeat(43),
};

function redeem(form: Record<string, string>, dpop?: string) {
  return post(`${authority.issuer}/token`, form, dpop === undefined ? {} : { dpop });
}

describe('RFC 9449 DPoP at the token endpoint', () => {
  it('section 5: both tokens of a public client are bound to its key', async () => {
    const client = await discoverAs(authority, 'careful-app');
    const DPoP = oidc.getDPoPHandle(client, keys);
    const tokens = await connect(client, 'accounts:read', ALMA, { DPoP });
    expect(claimsOf(tokens).cnf).toEqual({ jkt: await thumbprint() });
    const refreshed = await oidc.refreshTokenGrant(client, tokens.refresh_token ?? '', undefined, { DPoP });
    expect(refreshed.token_type).toBe('dpop');
    expect(claimsOf(refreshed).cnf).toEqual({ jkt: await thumbprint() });
  });

  it('section 5: a stolen refresh token is useless, and its theft harmless', async () => {
    const client = await discoverAs(authority, 'careful-app');
    const DPoP = oidc.getDPoPHandle(client, keys);
    const tokens = await connect(client, 'accounts:read', ALMA, { DPoP });
    const stolen = tokens.refresh_token ?? '';
    const thief = oidc.getDPoPHandle(client, await oidc.randomDPoPKeyPair('ES256'));
    const refusal = { error: 'invalid_grant' };
    await expect(oidc.refreshTokenGrant(client, stolen)).rejects.toMatchObject(refusal);
    await expect(oidc.refreshTokenGrant(client, stolen, undefined, { DPoP: thief })).rejects.toMatchObject(
      refusal,
    );
    expect((await oidc.refreshTokenGrant(client, stolen, undefined, { DPoP })).access_token).not.toBe('');
  });

  it('section 5.2: a client registered for bound tokens gets no others', async () => {
    expect(await redeem(await code())).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  it('any client gets a bound token for a proof', async () => {
    const client = await discover(authority);
    const DPoP = oidc.getDPoPHandle(client, keys);
    expect(claimsOf(await connect(client, 'accounts:read', ALMA, { DPoP })).cnf).toEqual({
      jkt: await thumbprint(),
    });
    expect(claimsOf(await connect(client, 'accounts:read')).cnf).toBeUndefined();
  });

  it('section 8: a proof needs the authority’s nonce', async () => {
    const form = await code();
    const first = await redeem(form, await proof());
    expect(first).toMatchObject({ status: 400, body: { error: 'use_dpop_nonce' } });
    const given = first.headers.get('dpop-nonce') ?? '';
    const answer = await redeem(form, await proof({ claims: { nonce: given } }));
    expect(answer).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
  });

  it('section 8: a nonce of one instance works at another', async () => {
    const given = await nonce();
    await authority.restart();
    const answer = await redeem(await code(), await proof({ claims: { nonce: given } }));
    expect(answer.status).toBe(200);
  });

  it('section 8: a made-up nonce is refused', async () => {
    const answer = await redeem(await code(), await proof({ claims: { nonce: 'x'.repeat(43) } }));
    expect(answer).toMatchObject({ status: 400, body: { error: 'use_dpop_nonce' } });
  });

  it('section 11.1: a reused proof is refused', async () => {
    const once = await proof({ claims: { nonce: await nonce() } });
    expect((await redeem(await code(), once)).status).toBe(200);
    expect(await redeem(await code(), once)).toMatchObject({ status: 400 });
  });

  it('section 11.1: of five concurrent uses, one is served', async () => {
    const once = await proof({ claims: { nonce: await nonce() } });
    const codes = [await code(), await code(), await code(), await code(), await code()];
    const answers = await Promise.all(codes.map((form) => redeem(form, once)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it.each<[string, Changed]>([
    ['section 4.3 (4): of another type', { header: { typ: 'jwt' } }],
    ['section 4.3 (8): for another method', { claims: { htm: 'GET' } }],
    ['section 4.3 (9): for another address', { claims: { htu: 'https://as.example/token' } }],
    ['section 4.3 (3): without jti', { claims: { jti: undefined } }],
    ['section 4.3 (3): without iat', { claims: { iat: undefined } }],
    ['section 4.3 (7): with the private key in it', { header: { jwk: 'private' } }],
    ['section 4.3 (6): that another key signed', { header: { jwk: 'other' } }],
  ])('a proof %s is refused', async (_, { claims = {}, header = {} }) => {
    const given = await nonce();
    const other = await oidc.randomDPoPKeyPair('ES256', { extractable: true });
    const jwks: Readonly<Record<string, unknown>> = {
      private: await exportJWK(other.privateKey),
      other: await exportJWK(other.publicKey),
    };
    const changed = typeof header['jwk'] === 'string' ? { jwk: jwks[header['jwk']] } : header;
    const bad = await proof({ claims: { nonce: given, ...claims }, header: changed });
    const answer = await redeem(await code(), bad);
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_dpop_proof' } });
  });

  it('section 10: a code requested with a key works only with that key', async () => {
    const form = await code({ dpop_jkt: await thumbprint() });
    const other = await oidc.randomDPoPKeyPair('ES256');
    const bad = await redeem(form, await proof({ claims: { nonce: await nonce() } }, other));
    expect(bad).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });
});
