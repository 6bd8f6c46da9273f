import fc from 'fast-check';
import { SignJWT } from 'jose';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { SuspensionRegister } from '../../authority/consent/suspensions.js';
import { SigningKeyRing } from '../../authority/keys/ring.js';
import { SealedSecrets } from '../../authority/keys/sealed.js';
import { KEY_SCHEDULE } from '../../authority/keys/times.js';
import { encryptionKeyFrom } from '../../authority/keys/encryption-key.js';
import {
  ALMA,
  ALMA_SUBJECT,
  application,
  changes,
  claimsOf,
  client,
  clientKey,
  type ClientKey,
  connect,
  discoverAs,
  nextSecond,
  withClients,
} from './oauth-setup.js';
import { AUDIENCE, discover, startTestAuthority, type TestAuthority } from './setup.js';

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const SCOPES = ['profile:read', 'accounts:read', 'transactions:read'];
const BY_ADMIN = { by: 'admin-iris', initiator: 'admin' } as const;

let authority: TestAuthority;
let key: ClientKey;
let statements: oidc.Configuration;
let archive: oidc.Configuration;
let printer: oidc.Configuration;
let loner: oidc.Configuration;
beforeAll(async () => {
  key = await clientKey();
  const { authentication } = key;
  authority = await startTestAuthority({
    ...withClients(
      [
        application('careful-app', { senderConstraint: 'dpop' }),
        client('statements', {
          authentication,
          exchange: { from: ['budget-app', 'careful-app'] },
          clientCredentials: { scopes: ['profile:read'] },
        }),
        client('archive', { authentication, exchange: { from: ['budget-app', 'statements'] } }),
        client('printer', { authentication, exchange: { from: ['budget-app', 'statements', 'archive'] } }),
        client('loner', { authentication, introspection: true }),
      ],
      {
        'careful-app': { scopes: SCOPES, purposes: ['budgeting'] },
        statements: {
          scopes: ['accounts:read', 'transactions:read', 'profile:read'],
          purposes: ['budgeting'],
        },
        archive: { scopes: ['accounts:read', 'payments:write'], purposes: ['budgeting'] },
        printer: { scopes: ['accounts:read'] },
        loner: { scopes: SCOPES },
      },
    ),
  });
  [statements, archive, printer, loner] = (await Promise.all(
    ['statements', 'archive', 'printer', 'loner'].map((id) => discoverAs(authority, id, key)),
  )) as [oidc.Configuration, oidc.Configuration, oidc.Configuration, oidc.Configuration];
});
afterAll(() => authority.close());

async function subjectToken(scope = 'accounts:read profile:read'): Promise<string> {
  return (await connect(await discover(authority), scope)).access_token;
}

function exchanged(
  actor: oidc.Configuration,
  token: string,
  more: Record<string, string> = {},
  options?: oidc.DPoPOptions,
) {
  const parameters = { subject_token: token, subject_token_type: ACCESS_TOKEN, ...more };
  return oidc.genericGrantRequest(actor, TOKEN_EXCHANGE, parameters, options);
}

describe('RFC 8693 token exchange', () => {
  it('section 4.1: names the service as actor, under the same client and consent', async () => {
    const token = await subjectToken();
    const answer = await exchanged(statements, token, { scope: 'accounts:read', audience: AUDIENCE });
    expect(answer).toMatchObject({
      issued_token_type: ACCESS_TOKEN,
      token_type: 'bearer',
      scope: 'accounts:read',
    });
    expect(answer.refresh_token).toBeUndefined();
    const before = claimsOf({ access_token: token });
    expect(claimsOf(answer)).toMatchObject({
      sub: ALMA_SUBJECT,
      client_id: 'budget-app',
      act: { sub: 'statements' },
      aud: AUDIENCE,
      consent: before.consent,
      policies: ['kyc_verified'],
    });
    expect(claimsOf(answer).exp).toBeLessThanOrEqual(before.exp ?? 0);
    expect(claimsOf(answer).jti).not.toBe(before.jti);
  });

  it('section 4.1: a chain names the latest actor first, and only narrows', async () => {
    const first = await exchanged(statements, await subjectToken());
    expect(first.scope?.split(' ').sort()).toEqual(['accounts:read', 'profile:read']);
    const second = await exchanged(archive, first.access_token);
    expect(claimsOf(second)).toMatchObject({
      client_id: 'budget-app',
      scope: 'accounts:read',
      act: { sub: 'archive', act: { sub: 'statements' } },
    });
    expect(claimsOf(second).exp).toBeLessThanOrEqual(claimsOf(first).exp ?? 0);
  });

  it('a chain beyond the configured depth is refused', async () => {
    const first = await exchanged(statements, await subjectToken('accounts:read'));
    const second = await exchanged(archive, first.access_token);
    await expect(exchanged(printer, second.access_token)).rejects.toMatchObject({ error: 'invalid_request' });
    expect((await exchanged(printer, first.access_token)).scope).toBe('accounts:read');
  });

  it('purposes are limited to those of the actor', async () => {
    const answer = await exchanged(printer, await subjectToken('accounts:read'));
    expect(claimsOf(answer).consent?.purposes).toEqual([]);
  });

  it.each([
    ['not in the subject token', 'accounts:read transactions:read'],
    ['beyond the actor’s ceiling', 'profile:read'],
    ['within the actor’s ceiling, not in the subject token', 'payments:write'],
    ['unknown', 'everything'],
  ])('a scope is refused that is %s', async (_, scope) => {
    const token = await subjectToken();
    await expect(exchanged(archive, token, { scope })).rejects.toMatchObject({ error: 'invalid_scope' });
  });

  it('is refused to a client that is not registered for it', async () => {
    const token = await subjectToken();
    await expect(exchanged(loner, token)).rejects.toMatchObject({ error: 'invalid_request' });
    const publicClient = await discover(authority);
    await expect(exchanged(publicClient, token)).rejects.toMatchObject({ error: 'invalid_request' });
  });

  it('section 4.4: is refused for clients that the registration does not name', async () => {
    const { access_token: foreign } = await connect(
      await discover(authority, 'bank-console'),
      'accounts:read',
    );
    await expect(exchanged(statements, foreign)).rejects.toMatchObject({ error: 'invalid_request' });
    // Nor through a registered client.
    const careful = await carefulToken();
    const through = await exchanged(statements, careful.access_token, {}, await withKey());
    await expect(exchanged(archive, through.access_token, {}, await withKey())).rejects.toMatchObject({
      error: 'invalid_request',
    });
  });

  it('is refused without a person, and to a client that already acts', async () => {
    const own = await oidc.clientCredentialsGrant(statements, { scope: 'profile:read' });
    await expect(exchanged(archive, own.access_token)).rejects.toMatchObject({ error: 'invalid_request' });
    const first = await exchanged(statements, await subjectToken());
    await expect(exchanged(statements, first.access_token)).rejects.toMatchObject({
      error: 'invalid_request',
    });
  });

  it.each([
    [
      'an actor token (the actor is the authenticated client)',
      { actor_token: 'x', actor_token_type: ACCESS_TOKEN },
    ],
    ['another type of subject token', { subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' }],
    [
      'another requested token type',
      { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
    ],
  ])('section 2.1: %s is refused', async (_, more) => {
    await expect(exchanged(statements, await subjectToken(), more)).rejects.toMatchObject({
      error: 'invalid_request',
    });
  });

  it.each([{ audience: 'https://other.example' }, { resource: 'https://other.example' }])(
    'section 2.2.2: an unknown target is an invalid_target: %o',
    async (more) => {
      const attempt = exchanged(statements, await subjectToken(), more);
      await expect(attempt).rejects.toMatchObject({ error: 'invalid_target' });
    },
  );
});

describe('an invalid subject token is refused', () => {
  const INVALID = { error: 'invalid_request' };

  it('section 2.2.2: no token, one by another key, or a changed one', async () => {
    const token = await subjectToken();
    const [header = '', , signature = ''] = token.split('.');
    const grown = Buffer.from(
      JSON.stringify({ ...claimsOf({ access_token: token }), scope: 'payments:write' }),
    );
    const forged = await new SignJWT({ ...claimsOf({ access_token: token }) })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'client-key' })
      .sign(key.privateKey);
    for (const bad of ['none', `${header}.${grown.toString('base64url')}.${signature}`, forged]) {
      await expect(exchanged(statements, bad)).rejects.toMatchObject(INVALID);
    }
  });

  it('an expired token, of another type, or for another audience', async () => {
    const encryptionKey = await encryptionKeyFrom(authority.dataDir);
    const { db } = authority.database;
    const secrets = new SealedSecrets(db, encryptionKey);
    const log = { log: () => undefined };
    const ring = await SigningKeyRing.open({ db, secrets, schedule: KEY_SCHEDULE, log });
    const { signing } = ring.now();
    const claims = claimsOf({ access_token: await subjectToken('accounts:read') });
    const sign = (more: Record<string, unknown>, typ = 'at+jwt') =>
      new SignJWT({ ...claims, ...more })
        .setProtectedHeader({ alg: 'ES256', typ, kid: signing.kid })
        .sign(signing.privateKey);
    expect((await exchanged(statements, await sign({}))).scope).toBe('accounts:read');
    const past = Math.floor(Date.now() / 1000) - 10;
    for (const bad of [
      await sign({ exp: past }),
      await sign({ aud: 'https://other.example' }),
      await sign({ iss: 'https://other.example' }),
      await sign({ act: { sub: 5 } }),
      await sign({ consent: { ...claims.consent, detail: 'more' } }),
      await sign({ consent: { ...claims.consent, id: 'another' } }),
      await sign({ client_id: 'nobody' }),
      await sign({}, 'secevent+jwt'),
    ]) {
      await expect(exchanged(statements, bad)).rejects.toMatchObject(INVALID);
    }
  });

  it('of a revoked consent', async () => {
    const token = await subjectToken();
    const id = claimsOf({ access_token: token }).consent?.id ?? '';
    await authority.consents.revokeConsent(id, BY_ADMIN);
    await expect(exchanged(statements, token)).rejects.toMatchObject(INVALID);
  });

  it('of a person whose sessions ended', async () => {
    const token = await subjectToken();
    await authority.consents.revokeSubjectSessions(ALMA_SUBJECT, BY_ADMIN);
    await expect(exchanged(statements, token)).rejects.toMatchObject(INVALID);
    await nextSecond();
  });

  it.each(['budget-app', 'statements'])(
    'decision 0012: of a chain with %s, which was revoked',
    async (revoked) => {
      const first = await exchanged(statements, await subjectToken('accounts:read'));
      expect((await exchanged(archive, first.access_token)).scope).toBe('accounts:read');
      await authority.consents.revokeClient(revoked, BY_ADMIN);
      await expect(exchanged(archive, first.access_token)).rejects.toMatchObject(INVALID);
      await nextSecond();
    },
  );
});

async function carefulToken() {
  const careful = await discoverAs(authority, 'careful-app');
  const DPoP = oidc.getDPoPHandle(careful, await oidc.randomDPoPKeyPair('ES256'));
  return connect(careful, 'accounts:read', ALMA, { DPoP });
}

async function withKey(): Promise<oidc.DPoPOptions> {
  return { DPoP: oidc.getDPoPHandle(statements, await oidc.randomDPoPKeyPair('ES256')) };
}

describe('decision 0012: a sender-constrained subject token', () => {
  it('is not exchanged for a bearer token', async () => {
    const { access_token: token } = await carefulToken();
    await expect(exchanged(statements, token)).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  it('is exchanged for a token bound to the actor’s key', async () => {
    const { access_token: token } = await carefulToken();
    const answer = await exchanged(statements, token, {}, await withKey());
    const before = claimsOf({ access_token: token }).cnf?.jkt;
    expect(answer.token_type).toBe('dpop');
    expect(claimsOf(answer).cnf?.jkt).toMatch(/^[\w-]{43}$/);
    expect(claimsOf(answer).cnf?.jkt).not.toBe(before);
  });
});

describe('while a party to the token is suspended', () => {
  const stop = { by: 'admin-iris', reason: 'an incident' };

  it.each<[string, string]>([
    ['statements', 'unauthorized_client'],
    ['budget-app', 'invalid_request'],
  ])('nothing is exchanged until it is resumed: %s', async (clientId, error) => {
    const suspensions = new SuspensionRegister(authority.database.db);
    const token = await subjectToken('accounts:read');
    await suspensions.suspend({ kind: 'client', clientId }, stop);
    await expect(exchanged(statements, token)).rejects.toMatchObject({ error });
    await suspensions.resume({ kind: 'client', clientId }, stop);
    expect((await exchanged(statements, token)).scope).toBe('accounts:read');
  });

  it('a stopped scope is in no exchanged token', async () => {
    const suspensions = new SuspensionRegister(authority.database.db);
    const token = await subjectToken();
    await suspensions.suspend({ kind: 'scope', scope: 'profile:read' }, stop);
    expect((await exchanged(statements, token)).scope).toBe('accounts:read');
    await expect(exchanged(statements, token, { scope: 'profile:read' })).rejects.toMatchObject({
      error: 'invalid_scope',
    });
    await suspensions.resume({ kind: 'scope', scope: 'profile:read' }, stop);
  });
});

describe('an exchanged token never grows', () => {
  it('whatever scopes are requested in sequence (property)', async () => {
    const everything = [...SCOPES, 'payments:write', 'consents:read', 'everything'];
    const budget = await discover(authority);
    const subjects: string[] = [];
    for (const scope of ['accounts:read', 'accounts:read profile:read', SCOPES.join(' ')]) {
      subjects.push((await connect(budget, scope, ALMA)).access_token);
    }
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...subjects),
        fc.option(fc.subarray(everything, { minLength: 1 })),
        fc.option(fc.subarray(everything, { minLength: 1 })),
        async (subject, firstAsked, secondAsked) => {
          const held = claimsOf({ access_token: subject });
          const first = await attempt(statements, subject, firstAsked);
          if (first === undefined) return;
          expectWithin(first, held, firstAsked);
          const second = await attempt(archive, first.access_token, secondAsked);
          if (second === undefined) return;
          expectWithin(second, claimsOf(first), secondAsked);
          expect(claimsOf(second).act).toEqual({ sub: 'archive', act: { sub: 'statements' } });
        },
      ),
      { numRuns: 40 },
    );
  });
});

async function attempt(actor: oidc.Configuration, token: string, asked: readonly string[] | null) {
  try {
    return await exchanged(actor, token, asked === null ? {} : { scope: asked.join(' ') });
  } catch (error) {
    expect(error).toMatchObject({ error: 'invalid_scope' });
    return undefined;
  }
}

function expectWithin(
  answer: { readonly access_token: string },
  held: ReturnType<typeof claimsOf>,
  asked: readonly string[] | null,
): void {
  const claims = claimsOf(answer);
  const scopes = claims.scope?.split(' ') ?? [];
  expect(scopes.length).toBeGreaterThan(0);
  expect(held.scope?.split(' ')).toEqual(expect.arrayContaining(scopes));
  if (asked !== null) expect([...scopes].sort()).toEqual([...asked].sort());
  expect(claims.exp).toBeLessThanOrEqual(held.exp ?? 0);
  expect(claims.consent?.id).toBe(held.consent?.id);
  expect(held.consent?.purposes).toEqual(expect.arrayContaining(claims.consent?.purposes ?? []));
  expect(claims.sub).toBe(held.sub);
}

it('an exchange stores no token', async () => {
  await exchanged(statements, await subjectToken());
  const rows = await authority.database.db.selectFrom('authority.oidc_payload').select('model').execute();
  expect(rows.map(({ model }) => model)).not.toContain('AccessToken');
  expect((await changes(authority)).every(({ members }) => members.tokenId === undefined)).toBe(true);
});
