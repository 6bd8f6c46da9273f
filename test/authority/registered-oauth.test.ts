import { generateKeyPairSync } from 'node:crypto';

import fc from 'fast-check';
import { exportJWK, type JWK } from 'jose';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type ClientOAuthOptions, ApplicationRegister } from '../../authority/internal.js';
import { checkPolicy } from '../../policy/index.js';
import { BrowserlessPerson } from '../support/person.js';
import { issueCertificate } from './certificates.js';
import {
  ALMA,
  ALMA_SUBJECT,
  application,
  claimsOf,
  clientKey,
  type ClientKey,
  connect,
  discoverAs,
  post,
} from './oauth-setup.js';
import {
  authorizationRequest,
  discover,
  OVER_LOOPBACK,
  POLICY_FILE,
  REDIRECT_URI,
  startTestAuthority,
  type TestAuthority,
  withPolicy,
} from './setup.js';

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const IDS = ['planner', 'statements', 'bank', 'printer', 'turning', 'renewing', 'plain', 'unbound', 'wire'];
const POLICY = checkPolicy({
  ...POLICY_FILE,
  clients: {
    ...POLICY_FILE.clients,
    ...Object.fromEntries(
      [...IDS, 'odd', 'given', ALMA_SUBJECT].map((id) => [
        id,
        { scopes: ['accounts:read'], purposes: ['budgeting'] },
      ]),
    ),
  },
});
const BY = { by: 'admin-iris', policy: POLICY };
const BASE = { displayName: 'The Ledger', owner: 'Ledger & Sons', contact: 'mailto:help@ledger.example' };
const CODE_FLOW = { ...BASE, redirectUris: ['http://127.0.0.1/callback'] };
const SERVICE = { ...BASE, redirectUris: [] };

let authority: TestAuthority;
let applications: ApplicationRegister;
let key: ClientKey;
let other: ClientKey;
beforeAll(async () => {
  authority = await startTestAuthority(withPolicy(POLICY));
  applications = new ApplicationRegister(authority.database.db);
  key = await clientKey();
  other = await clientKey();
});
afterAll(() => authority.close());

async function register(clientId: string, oauth: ClientOAuthOptions, base: object = CODE_FLOW) {
  return applications.register(clientId, { ...base, oauth }, { ...BY, confidential: true });
}

/** Whether the authority knows the client at all: the authorization endpoint says so before anybody signs in. */
async function isKnown(clientId: string): Promise<boolean> {
  const url = new URL(`${authority.issuer}/auth`);
  url.searchParams.set('client_id', clientId);
  url.searchParams.set('redirect_uri', REDIRECT_URI);
  url.searchParams.set('response_type', 'code');
  return (await fetch(url, { redirect: 'manual' })).status === 303;
}

/** The flow of FAPI 2.0: pushed, bound, authenticated by a key. */
async function connectPushed(clientId: string, DPoP: (client: oidc.Configuration) => oidc.DPoPHandle) {
  const client = await discoverAs(authority, clientId, key);
  const handle = DPoP(client);
  const verifier = oidc.randomPKCECodeVerifier();
  const parameters = {
    redirect_uri: REDIRECT_URI,
    scope: 'accounts:read',
    state: 's',
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  };
  const url = await oidc.buildAuthorizationUrlWithPAR(client, parameters, { DPoP: handle });
  const { callbackUrl } = await new BrowserlessPerson().follow(url, ALMA);
  const redeem = (options?: oidc.DPoPOptions) =>
    oidc.authorizationCodeGrant(
      client,
      callbackUrl,
      { pkceCodeVerifier: verifier, expectedState: 's' },
      undefined,
      options,
    );
  return { client, DPoP: handle, redeem };
}

describe('a registered application', () => {
  it('RFC 7523: goes the whole code flow by its key, and nobody goes it without', async () => {
    const { secret } = await register('planner', { authentication: key.authentication });
    expect(secret).toBeUndefined();
    const planner = await discoverAs(authority, 'planner', key);
    const tokens = await connect(planner, 'accounts:read');
    expect(claimsOf(tokens)).toMatchObject({ client_id: 'planner', scope: 'accounts:read' });
    const again = await oidc.refreshTokenGrant(planner, tokens.refresh_token ?? '');
    expect(again.access_token).not.toBe('');
    for (const thief of [
      await discoverAs(authority, 'planner', other),
      await discoverAs(authority, 'planner'),
    ]) {
      await expect(connect(thief, 'accounts:read')).rejects.toMatchObject({ error: 'invalid_client' });
    }
    expect(await applications.find('planner')).toMatchObject({ confidential: true });
  });

  it('RFC 6749 section 4.4: has for itself what it is registered for, and no code flow', async () => {
    const clientCredentials = { scopes: ['accounts:read'] };
    await register('statements', { authentication: key.authentication, clientCredentials }, SERVICE);
    const service = await discoverAs(authority, 'statements', key);
    const tokens = await oidc.clientCredentialsGrant(service, { scope: 'accounts:read' });
    expect(claimsOf(tokens)).toMatchObject({ sub: 'statements', scope: 'accounts:read' });
    const more = oidc.clientCredentialsGrant(service, { scope: 'profile:read' });
    await expect(more).rejects.toMatchObject({ error: 'invalid_scope' });
    expect(await isKnown('statements')).toBe(false);
    // The others do not get it with this one.
    const planner = await discoverAs(authority, 'planner', key);
    const attempt = oidc.clientCredentialsGrant(planner, { scope: 'accounts:read' });
    await expect(attempt).rejects.toMatchObject({ error: 'invalid_request' });
  });

  it('RFC 6749 section 2.3.1: a service may prove itself by its secret', async () => {
    const { secret } = await register('wire', { clientCredentials: { scopes: ['accounts:read'] } }, SERVICE);
    const by = (value = '') =>
      oidc.discovery(
        new URL(authority.issuer),
        'wire',
        undefined,
        oidc.ClientSecretBasic(value),
        OVER_LOOPBACK,
      );
    const tokens = await oidc.clientCredentialsGrant(await by(secret), { scope: 'accounts:read' });
    expect(claimsOf(tokens)).toMatchObject({ sub: 'wire' });
    const wrong = oidc.clientCredentialsGrant(await by(`${secret}x`), { scope: 'accounts:read' });
    await expect(wrong).rejects.toMatchObject({ status: 401 });
  });

  it('RFC 8693 and RFC 7662: exchanges the tokens that it is registered for, and asks about them', async () => {
    const oauth = {
      authentication: key.authentication,
      exchange: { from: ['planner'] },
      introspection: true,
    };
    await register('printer', oauth, SERVICE);
    const printer = await discoverAs(authority, 'printer', key);
    const exchangeOf = (token: string) =>
      oidc.genericGrantRequest(printer, TOKEN_EXCHANGE, {
        subject_token: token,
        subject_token_type: ACCESS_TOKEN,
      });
    const ours = await connect(await discoverAs(authority, 'planner', key), 'accounts:read');
    const exchanged = await exchangeOf(ours.access_token);
    expect(claimsOf(exchanged)).toMatchObject({ sub: ALMA_SUBJECT, act: { sub: 'printer' } });
    expect(await oidc.tokenIntrospection(printer, exchanged.access_token)).toMatchObject({ active: true });
    const foreign = await connect(await discover(authority), 'accounts:read');
    await expect(exchangeOf(foreign.access_token)).rejects.toMatchObject({ error: 'invalid_request' });
    // Whoever it acts for is gone: so are the tokens that it has.
    await applications.retire('planner', { by: 'admin-iris', reason: 'over' });
    expect(await oidc.tokenIntrospection(printer, exchanged.access_token)).toEqual({ active: false });
  });

  it('FAPI 2.0 section 5.3.2: is held to the profile, as one that was given at the start is', async () => {
    await register('bank', {
      authentication: key.authentication,
      senderConstraint: 'dpop',
      profile: 'fapi2',
    });
    const keys = await oidc.randomDPoPKeyPair('ES256');
    const dpop = (client: oidc.Configuration) => oidc.getDPoPHandle(client, keys);
    const { client, DPoP, redeem } = await connectPushed('bank', dpop);
    const tokens = await redeem({ DPoP });
    expect(claimsOf(tokens).cnf?.jkt).toBeDefined();
    // 5.3.2.1 (9): no rotation, again and again.
    const refreshToken = tokens.refresh_token ?? '';
    for (let count = 0; count < 3; count++) {
      const again = await oidc.refreshTokenGrant(client, refreshToken, undefined, { DPoP });
      expect([undefined, refreshToken]).toContain(again.refresh_token);
    }
    // 5.3.2.2 (2): nothing that was not pushed; 5.3.2.1: nothing without a proof.
    const { url } = await authorizationRequest(client, 'accounts:read');
    const location = (await fetch(url, { redirect: 'manual' })).headers.get('location') ?? '';
    expect(new URL(location).searchParams.get('error')).toBe('invalid_request');
    const unbound = await connectPushed('bank', dpop);
    await expect(unbound.redeem()).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  it('RFC 9700 section 4.14.2: without the profile its refresh tokens rotate', async () => {
    await register('turning', { authentication: key.authentication });
    const client = await discoverAs(authority, 'turning', key);
    const { refresh_token: refreshToken = '' } = await connect(client, 'accounts:read');
    const again = await oidc.refreshTokenGrant(client, refreshToken);
    expect(again.refresh_token).not.toBe(refreshToken);
    expect(again.refresh_token).toBeDefined();
  });

  it('that changes its key is known by the new one alone, at once', async () => {
    const changed = { ...CODE_FLOW, oauth: { authentication: other.authentication } };
    expect(await applications.change('turning', changed, BY)).toEqual({ secret: undefined });
    const old = connect(await discoverAs(authority, 'turning', key), 'accounts:read');
    await expect(old).rejects.toMatchObject({ error: 'invalid_client' });
    const tokens = await connect(await discoverAs(authority, 'turning', other), 'accounts:read');
    expect(tokens.access_token).not.toBe('');
  });

  it('that gives up its key does not become a public one: it is given a secret', async () => {
    const { secret = '' } = await applications.change('turning', CODE_FLOW, BY);
    expect(secret).toMatch(/^[\w-]{43}$/);
    const bare = connect(await discoverAs(authority, 'turning'), 'accounts:read');
    await expect(bare).rejects.toMatchObject({ error: 'invalid_client' });
    // And back: the secret ends with it.
    const back = { ...CODE_FLOW, oauth: { authentication: key.authentication } };
    expect(await applications.change('turning', back, BY)).toEqual({ secret: undefined });
    await expect(applications.renewSecret('turning', BY)).rejects.toMatchObject({ code: 'CLIENT_INVALID' });
    const bySecret = await oidc.discovery(
      new URL(authority.issuer),
      'turning',
      undefined,
      oidc.ClientSecretBasic(secret),
      OVER_LOOPBACK,
    );
    await expect(connect(bySecret, 'accounts:read')).rejects.toMatchObject({ status: 401 });
  });

  it('whose secret is renewed is known by the new one alone, at once; and it is on record', async () => {
    const { secret: first = '' } = await applications.register('renewing', CODE_FLOW, {
      ...BY,
      confidential: true,
    });
    const revoke = (secret: string) =>
      post(
        `${authority.issuer}/token/revocation`,
        { token: 'x' },
        {
          authorization: `Basic ${Buffer.from(`renewing:${secret}`).toString('base64')}`,
        },
      );
    expect((await revoke(first)).status).not.toBe(401);
    const { secret: second } = await applications.renewSecret('renewing', BY);
    expect((await revoke(first)).status).toBe(401);
    expect((await revoke(second)).status).not.toBe(401);
    const events = await authority.database.db
      .selectFrom('authority.application_event')
      .selectAll()
      .where('client_id', '=', 'renewing')
      .orderBy('event_id')
      .execute();
    expect(events.map(({ event_type: type }) => type)).toEqual(['registered', 'secret_renewed']);
    expect(JSON.stringify(events)).not.toContain(second);
    await expect(applications.renewSecret('nobody', BY)).rejects.toMatchObject({ code: 'CLIENT_UNKNOWN' });
  });
});

describe('is not registered, or changed', () => {
  const jwk = (more: object): ClientOAuthOptions => ({
    authentication: {
      method: 'private_key_jwt',
      jwks: { keys: [{ ...(key.authentication.jwks.keys[0] as JWK), ...more }] },
    },
  });
  const byKey = (more: object) => ({ authentication: key.authentication, ...more });
  const scopes = ['accounts:read'];
  const oddKey = async (alg: string) => {
    const { authentication } = await clientKey(alg);
    const { alg: _, ...rest } = authentication.jwks.keys[0] ?? {};
    return { authentication: { method: 'private_key_jwt', jwks: { keys: [rest] } } };
  };
  const weakKey = () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    return {
      authentication: { method: 'private_key_jwt', jwks: { keys: [publicKey.export({ format: 'jwk' })] } },
    };
  };
  const refused: [string, string, () => object | Promise<object>, object?][] = [
    ['with a private key', 'keys[0].d is not a known key', async () => jwk(await exportJWK(key.privateKey))],
    ['with a secret as its key', 'keys[0].k is not a known key', () => jwk({ kty: 'oct', k: 'c2VjcmV0' })],
    ['with a key for another algorithm', 'has a key for RS256', () => jwk({ alg: 'RS256' })],
    ['with a key on another curve', 'is not for ES256', () => oddKey('ES384')],
    ['with an RSA key that is too short', 'is not for ES256', weakKey],
    ['with a key that is not what it says', 'is not for ES256', () => jwk({ alg: 'PS256' })],
    ['with a key that is none', 'is not for ES256', () => jwk({ x: 'x' })],
    [
      'without any key',
      'jwks.keys must NOT have fewer than 1 items',
      () => ({ authentication: { method: 'private_key_jwt', jwks: { keys: [] } } }),
    ],
    [
      'with keys from an address',
      'oauth.jwksUri is not a known key',
      () => byKey({ jwksUri: 'https://odd.example/keys' }),
    ],
    [
      'with a way to authenticate that is not taken',
      'oauth.authentication',
      () => ({ authentication: { method: 'none' } }),
    ],
    [
      'with a certificate that is none',
      'cannot be read',
      () => ({ authentication: { method: 'self_signed_tls_client_auth', certificates: ['x'] } }),
    ],
    [
      'for every name below one',
      'must be: a DNS name, without wildcards',
      () => ({ authentication: { method: 'tls_client_auth', dnsName: '*.odd.example' } }),
    ],
    [
      'with bound tokens of another kind',
      'must be one of dpop, certificate',
      () => byKey({ senderConstraint: 'token' }),
    ],
    [
      'with details that nobody knows',
      'must be one of behalf_access',
      () => byKey({ authorizationDetailsTypes: ['openid_credential'] }),
    ],
    ['for a profile that nobody knows', 'must be one of fapi2', () => byKey({ profile: 'fapi1' })],
    [
      'for itself, beyond the policy',
      'payments:write',
      () => byKey({ clientCredentials: { scopes: ['payments:write'] } }),
      SERVICE,
    ],
    [
      'for itself, for nothing',
      'scopes must NOT',
      () => byKey({ clientCredentials: { scopes: [] } }),
      SERVICE,
    ],
    ['to exchange the tokens of nobody', 'from must NOT', () => byKey({ exchange: { from: [] } }), SERVICE],
    [
      'to exchange without an end',
      'depth of exchange',
      () => byKey({ exchange: { from: ['planner'], depth: 9 } }),
      SERVICE,
    ],
    ['where it can do nothing', 'can do nothing', () => byKey({}), SERVICE],
    [
      'FAPI 2.0: without a key',
      'must authenticate by a key',
      () => ({ profile: 'fapi2', senderConstraint: 'dpop' }),
    ],
    ['FAPI 2.0: without bound tokens', 'must have its tokens bound', () => byKey({ profile: 'fapi2' })],
  ];
  it.each(refused)('%s', async (_, says, make, base = CODE_FLOW) => {
    const whole = { ...base, oauth: await make() };
    const refusal = { name: 'ApplicationError', code: 'CLIENT_INVALID' };
    const message = expect.stringContaining(says) as string;
    const attempt = applications.register('odd', whole, { ...BY, confidential: true });
    await expect(attempt).rejects.toMatchObject({ ...refusal, message });
    expect(await applications.find('odd')).toBeUndefined();
    const before = await applications.find('bank');
    await expect(applications.change('bank', whole, BY)).rejects.toMatchObject({ ...refusal, message });
    expect(await applications.find('bank')).toEqual(before);
  });

  it('to exchange its own tokens', async () => {
    const attempt = register('odd', byKey({ exchange: { from: ['odd'] } }), SERVICE);
    await expect(attempt).rejects.toMatchObject({ code: 'CLIENT_INVALID' });
  });

  it('as a public client that has a right of its own, or authenticates', async () => {
    for (const oauth of [{ introspection: true }, { clientCredentials: { scopes } }, byKey({})]) {
      const whole = { ...CODE_FLOW, oauth };
      const attempt = applications.register('odd', whole, { ...BY, confidential: false });
      await expect(attempt).rejects.toMatchObject({ code: 'CLIENT_INVALID' });
    }
  });

  it('without an entry in the policy, unless it only asks about tokens, and gets none', async () => {
    const introspection = byKey({ introspection: true });
    const unknown = (oauth: ClientOAuthOptions, base: object) =>
      applications.register(
        'lookout',
        { ...base, oauth },
        { by: 'x', policy: checkPolicy(POLICY_FILE), confidential: true },
      );
    const refusal = { code: 'CLIENT_NOT_IN_POLICY' };
    await expect(unknown(introspection, CODE_FLOW)).rejects.toMatchObject(refusal);
    const service = { ...introspection, clientCredentials: { scopes } };
    await expect(unknown(service, SERVICE)).rejects.toMatchObject(refusal);
    await unknown(introspection, SERVICE);
    const lookout = await discoverAs(authority, 'lookout', key);
    expect(await oidc.tokenIntrospection(lookout, 'x')).toEqual({ active: false });
    const attempt = oidc.clientCredentialsGrant(lookout, { scope: 'accounts:read' });
    await expect(attempt).rejects.toMatchObject({ error: 'invalid_request' });
  });

  it('under the subject of a person: a client’s own token would be taken for theirs', async () => {
    const attempt = register(ALMA_SUBJECT, byKey({ clientCredentials: { scopes } }), SERVICE);
    await expect(attempt).rejects.toMatchObject({ code: 'CLIENT_INVALID' });
  });

  it('with a member that nobody knows, wherever it stands; and its value is in no message', async () => {
    const whole = {
      authentication: key.authentication,
      clientCredentials: { scopes },
      exchange: { from: ['bank'] },
    };
    const places: ((name: string) => object)[] = [
      (name) => ({ ...whole, [name]: 'sekret' }),
      (name) => ({ ...whole, authentication: { ...key.authentication, [name]: 'sekret' } }),
      (name) => ({
        ...whole,
        authentication: {
          ...key.authentication,
          jwks: { ...key.authentication.jwks, [name]: 'sekret' },
        },
      }),
      (name) => ({ ...whole, clientCredentials: { scopes, [name]: 'sekret' } }),
      (name) => ({ ...whole, exchange: { from: ['bank'], [name]: 'sekret' } }),
      (name) => jwk({ [name]: 'sekret' }),
    ];
    // None of them is a member anywhere; among them are the private parameters of RFC 7518.
    const names = fc.oneof(
      fc.constantFrom('d', 'p', 'q', 'k', 'x5u', 'secret', 'constructor'),
      fc.string().map((name) => `x-${name}`),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...places), names, async (place, name) => {
        const attempt = applications.register(
          'odd',
          { ...SERVICE, oauth: place(name) },
          { ...BY, confidential: true },
        );
        const error: unknown = await attempt.then(
          () => undefined,
          (reason: unknown) => reason,
        );
        expect(error).toMatchObject({ code: 'CLIENT_INVALID' });
        expect(String(error)).not.toContain('sekret');
      }),
    );
  });
});

describe('of what an authority asks of all its clients', () => {
  const told = () => authority.logged.filter((line) => line.startsWith('CLIENT_NOT_SERVED'));

  it('certificates: one that needs them is unknown where nobody brings any, and known where somebody does', async () => {
    const { pem } = await issueCertificate({ name: 'wire' });
    const authentication = { method: 'self_signed_tls_client_auth', certificates: [pem] };
    await applications.change('wire', { ...CODE_FLOW, oauth: { authentication } }, BY);
    expect(await isKnown('wire')).toBe(false);
    expect(await isKnown('wire')).toBe(false);
    expect(told()).toEqual([
      'CLIENT_NOT_SERVED {"clientId":"wire","problem":"needs certificates, and no proxy is named that brings them"}',
    ]);
    const bound = byDns('wire.example');
    await applications.change('wire', bound, BY);
    await authority.restart({ clientCertificates: { proxies: ['127.0.0.1'] } });
    expect(await isKnown('wire')).toBe(false);
    expect(told().at(-1)).toContain('nobody is named who issues it');
    await applications.change('wire', { ...CODE_FLOW, oauth: { authentication } }, BY);
    expect(await isKnown('wire')).toBe(true);
  });

  function byDns(dnsName: string) {
    return { ...CODE_FLOW, oauth: { authentication: { method: 'tls_client_auth', dnsName } } };
  }

  it('FAPI 2.0: one that does not fit is unknown, with a line in the log, and nothing of it counts', async () => {
    const plain = await applications.register('plain', CODE_FLOW, { ...BY, confidential: true });
    await register('unbound', { authentication: key.authentication });
    const client = await discoverAs(authority, 'unbound', key);
    const tokens = await connect(client, 'accounts:read');
    expect(await isKnown('plain')).toBe(true);
    // A resource server that gets no tokens has none to be bound.
    const asks = { authentication: key.authentication, introspection: true };
    await applications.change('printer', { ...SERVICE, oauth: asks }, BY);
    const printer = await discoverAs(authority, 'printer', key);
    expect(await oidc.tokenIntrospection(printer, tokens.access_token)).toMatchObject({ active: true });

    const given = application('given', { authentication: key.authentication, senderConstraint: 'dpop' });
    await authority.restart({ demo: false, profile: 'fapi2', clients: [given] });
    expect(await isKnown('plain')).toBe(false);
    expect(await isKnown('unbound')).toBe(false);
    expect(told().slice(-2)).toEqual([
      'CLIENT_NOT_SERVED {"clientId":"plain","problem":"must authenticate by a key (FAPI 2.0)"}',
      'CLIENT_NOT_SERVED {"clientId":"unbound","problem":"must have its tokens bound to a key (FAPI 2.0)"}',
    ]);
    expect(authority.logged.join('\n')).not.toContain(plain.secret);
    const refresh = oidc.refreshTokenGrant(client, tokens.refresh_token ?? '');
    await expect(refresh).rejects.toMatchObject({ error: 'invalid_client' });
    expect(await oidc.tokenIntrospection(printer, tokens.access_token)).toEqual({ active: false });
    // The one that fits, without saying so of itself, is held to it.
    const { client: bank } = await knownUnder('bank');
    const { url } = await authorizationRequest(bank, 'accounts:read');
    const location = (await fetch(url, { redirect: 'manual' })).headers.get('location') ?? '';
    expect(new URL(location).searchParams.get('error')).toBe('invalid_request');
  });

  /** Registered without the profile, which here holds for all. */
  async function knownUnder(clientId: string) {
    const oauth = { authentication: key.authentication, senderConstraint: 'dpop' };
    await applications.change(clientId, { ...CODE_FLOW, oauth }, BY);
    return { client: await discoverAs(authority, clientId, key) };
  }
});
