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

/** Whether the authority knows the client: the authorization endpoint answers that before sign-in. */
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
  it('RFC 7523: completes the code flow with its key, and nobody can without', async () => {
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

  it('RFC 6749 section 4.4: a service gets its registered scopes, and no code flow', async () => {
    const clientCredentials = { scopes: ['accounts:read'] };
    await register('statements', { authentication: key.authentication, clientCredentials }, SERVICE);
    const service = await discoverAs(authority, 'statements', key);
    const tokens = await oidc.clientCredentialsGrant(service, { scope: 'accounts:read' });
    expect(claimsOf(tokens)).toMatchObject({ sub: 'statements', scope: 'accounts:read' });
    const more = oidc.clientCredentialsGrant(service, { scope: 'profile:read' });
    await expect(more).rejects.toMatchObject({ error: 'invalid_scope' });
    expect(await isKnown('statements')).toBe(false);
    // Other clients cannot use it with this key.
    const planner = await discoverAs(authority, 'planner', key);
    const attempt = oidc.clientCredentialsGrant(planner, { scope: 'accounts:read' });
    await expect(attempt).rejects.toMatchObject({ error: 'invalid_request' });
  });

  it('RFC 6749 section 2.3.1: a service can authenticate by its secret', async () => {
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

  it('RFC 8693 and RFC 7662: exchanges and introspects the tokens it is registered for', async () => {
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
    // The client it acts for is gone, and so are the tokens for it.
    await applications.retire('planner', { by: 'admin-iris', reason: 'over' });
    expect(await oidc.tokenIntrospection(printer, exchanged.access_token)).toEqual({ active: false });
  });

  it('FAPI 2.0 section 5.3.2: is held to the profile like a configured client', async () => {
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
    // 5.3.2.1 (9): no rotation, however often.
    const refreshToken = tokens.refresh_token ?? '';
    for (let count = 0; count < 3; count++) {
      const again = await oidc.refreshTokenGrant(client, refreshToken, undefined, { DPoP });
      expect([undefined, refreshToken]).toContain(again.refresh_token);
    }
    // 5.3.2.2 (2): nothing without pushing; 5.3.2.1: nothing without a proof.
    const { url } = await authorizationRequest(client, 'accounts:read');
    const location = (await fetch(url, { redirect: 'manual' })).headers.get('location') ?? '';
    expect(new URL(location).searchParams.get('error')).toBe('invalid_request');
    const unbound = await connectPushed('bank', dpop);
    await expect(unbound.redeem()).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  it('RFC 9700 section 4.14.2: rotates refresh tokens outside of the profile', async () => {
    await register('turning', { authentication: key.authentication });
    const client = await discoverAs(authority, 'turning', key);
    const { refresh_token: refreshToken = '' } = await connect(client, 'accounts:read');
    const again = await oidc.refreshTokenGrant(client, refreshToken);
    expect(again.refresh_token).not.toBe(refreshToken);
    expect(again.refresh_token).toBeDefined();
  });

  it('that changes its key is immediately known only by the new one', async () => {
    const changed = { ...CODE_FLOW, oauth: { authentication: other.authentication } };
    expect(await applications.change('turning', changed, BY)).toEqual({ secret: undefined });
    const old = connect(await discoverAs(authority, 'turning', key), 'accounts:read');
    await expect(old).rejects.toMatchObject({ error: 'invalid_client' });
    const tokens = await connect(await discoverAs(authority, 'turning', other), 'accounts:read');
    expect(tokens.access_token).not.toBe('');
  });

  it('that gives up its key gets a secret and stays confidential', async () => {
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

  it('whose secret is renewed is immediately known only by it, on record', async () => {
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

describe('is refused a registration or change', () => {
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
    ['with a key of another type than its algorithm', 'is not for ES256', () => jwk({ alg: 'PS256' })],
    ['with an invalid key', 'is not for ES256', () => jwk({ x: 'x' })],
    [
      'without any key',
      'jwks.keys must have at least one entry',
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
      'with an invalid certificate',
      'cannot be read',
      () => ({ authentication: { method: 'self_signed_tls_client_auth', certificates: ['x'] } }),
    ],
    [
      'for a wildcard name',
      'must be a DNS name in lower case, without wildcards',
      () => ({ authentication: { method: 'tls_client_auth', dnsName: '*.odd.example' } }),
    ],
    [
      'with bound tokens of another kind',
      'must be one of dpop, certificate',
      () => byKey({ senderConstraint: 'token' }),
    ],
    [
      'with an unknown type of details',
      'must be behalf_access',
      () => byKey({ authorizationDetailsTypes: ['openid_credential'] }),
    ],
    ['for an unknown profile', 'must be fapi2', () => byKey({ profile: 'fapi1' })],
    [
      'for itself, beyond the policy',
      'payments:write',
      () => byKey({ clientCredentials: { scopes: ['payments:write'] } }),
      SERVICE,
    ],
    [
      'for itself, for nothing',
      'scopes must have at least one entry',
      () => byKey({ clientCredentials: { scopes: [] } }),
      SERVICE,
    ],
    [
      'to exchange tokens, without naming clients',
      'from must have at least one entry',
      () => byKey({ exchange: { from: [] } }),
      SERVICE,
    ],
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

  it('that exchanges its own tokens', async () => {
    const attempt = register('odd', byKey({ exchange: { from: ['odd'] } }), SERVICE);
    await expect(attempt).rejects.toMatchObject({ code: 'CLIENT_INVALID' });
  });

  it('as a public client with rights of its own or authentication', async () => {
    for (const oauth of [{ introspection: true }, { clientCredentials: { scopes } }, byKey({})]) {
      const whole = { ...CODE_FLOW, oauth };
      const attempt = applications.register('odd', whole, { ...BY, confidential: false });
      await expect(attempt).rejects.toMatchObject({ code: 'CLIENT_INVALID' });
    }
  });

  it('without a policy entry, unless it only introspects; that one gets no tokens', async () => {
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

  it('under a person’s subject: its own token would pass for theirs', async () => {
    const attempt = register(ALMA_SUBJECT, byKey({ clientCredentials: { scopes } }), SERVICE);
    await expect(attempt).rejects.toMatchObject({ code: 'CLIENT_INVALID' });
  });

  it('with an unknown member at any depth, whose value no message repeats', async () => {
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
    // None of them is a member anywhere; they include the private parameters of RFC 7518.
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

describe('what an authority requires of all its clients', () => {
  const told = () => authority.logged.filter((line) => line.startsWith('CLIENT_NOT_SERVED'));

  it('certificates: a client that needs one is known only where they are accepted', async () => {
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
    expect(told().at(-1)).toContain('no issuer is named');
    await applications.change('wire', { ...CODE_FLOW, oauth: { authentication } }, BY);
    expect(await isKnown('wire')).toBe(true);
  });

  function byDns(dnsName: string) {
    return { ...CODE_FLOW, oauth: { authentication: { method: 'tls_client_auth', dnsName } } };
  }

  it('FAPI 2.0: a client that does not fit is logged and unknown', async () => {
    const plain = await applications.register('plain', CODE_FLOW, { ...BY, confidential: true });
    await register('unbound', { authentication: key.authentication });
    const client = await discoverAs(authority, 'unbound', key);
    const tokens = await connect(client, 'accounts:read');
    expect(await isKnown('plain')).toBe(true);
    // A resource server that gets no tokens needs no bound ones.
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
    // A fitting registration meets the profile without claiming it.
    const { client: bank } = await knownUnder('bank');
    const { url } = await authorizationRequest(bank, 'accounts:read');
    const location = (await fetch(url, { redirect: 'manual' })).headers.get('location') ?? '';
    expect(new URL(location).searchParams.get('error')).toBe('invalid_request');
  });

  /** Registered without the profile, which here applies to all. */
  async function knownUnder(clientId: string) {
    const oauth = { authentication: key.authentication, senderConstraint: 'dpop' };
    await applications.change(clientId, { ...CODE_FLOW, oauth }, BY);
    return { client: await discoverAs(authority, clientId, key) };
  }
});
