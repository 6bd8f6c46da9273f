import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { base64url, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { presentedToken } from '../../gateway/authenticate/bearer.js';
import {
  ask,
  AUDIENCE,
  BOTH_SCHEMES,
  Cleanup,
  codes,
  compose,
  listen,
  makeKey,
  send,
  sendJson,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
} from './support.js';
import type { Answer, TestGateway } from './support.js';
import { ManualClock } from '../support/manual-clock.js';

const cleanup = new Cleanup();
let issuer: TestIssuer;
let other: TestIssuer;
let people: TestSubgraph;
let supergraph: string;
const clock = ManualClock.running();
let gateway: TestGateway;

const READ = '{ me { id name } hello }';

beforeAll(async () => {
  issuer = await TestIssuer.start('ES256');
  other = await TestIssuer.start('EdDSA');
  people = await TestSubgraph.start('people');
  cleanup.add(() => issuer.close());
  cleanup.add(() => other.close());
  cleanup.add(() => people.close());
  supergraph = compose(people);
  const config = {
    issuers: [
      { issuer: issuer.url, audience: AUDIENCE },
      {
        issuer: other.url,
        namespace: 'other',
        audience: 'https://other.example',
        claims: { scopes: 'scp', policies: 'entitlements', roles: 'groups', clientId: 'azp' },
      },
    ],
    subgraphs: { people: { roles: ['staff'] } },
  } as const;
  gateway = await startTestGateway(cleanup, supergraph, config, { clock });
});
afterAll(() => cleanup.run());
beforeEach(() => {
  people.requests.length = 0;
});

/** RFC 6750 section 3.1: refused without details, and no request was sent anywhere. */
function expectRefused(answer: Answer): void {
  expect(answer.status).toBe(401);
  expect(codes(answer)).toEqual(['INVALID_TOKEN']);
  expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
  expect(answer.body.data ?? undefined).toBeUndefined();
  expect(people.requests).toEqual([]);
}

async function expectTokenRefused(token: string, reason?: string): Promise<void> {
  expectRefused(await gateway.ask(READ, { token }));
  if (reason !== undefined) expect(gateway.log.of('AUTHENTICATION_FAILED').at(-1)?.reason).toBe(reason);
  expect(gateway.log.text).not.toContain(token);
}

async function expectAccepted(token: string, at = gateway): Promise<void> {
  const answer = await at.ask(READ, { token });
  expect(answer.status).toBe(200);
  expect(answer.body.errors).toBeUndefined();
  expect(answer.body.data).toEqual({
    me: { id: 'c-000001', name: 'Name of c-000001' },
    hello: 'hello world',
  });
}

/** A hand-made token. */
function unsigned(header: object, claims: object): string {
  return [header, claims].map((part) => base64url.encode(JSON.stringify(part))).join('.');
}

describe('a valid token', () => {
  it.each(['ES256', 'EdDSA', 'RS256', 'PS256'])('signed with %s is accepted', async (alg) => {
    const own = await TestIssuer.start(alg);
    cleanup.add(() => own.close());
    const at = await startTestGateway(cleanup, supergraph, {
      issuers: [{ issuer: own.url, audience: AUDIENCE }],
    });
    await expectAccepted(await own.mint({ scope: 'name' }), at);
  });

  it('can have several audiences, and its long type in any case (RFC 7515 section 4.1.9)', async () => {
    await expectAccepted(
      await issuer.mint(
        { scope: 'name', aud: ['https://else.example', AUDIENCE] },
        { header: { typ: 'Application/AT+JWT' } },
      ),
    );
  });

  it('is not enough beyond its scopes', async () => {
    const answer = await gateway.ask(READ, { token: await issuer.mint({ scope: 'names nam ame NAME' }) });
    expect(answer.body.data).toEqual({ me: { id: 'c-000001', name: null }, hello: 'hello world' });
    expect(codes(answer)).toEqual(['UNAUTHORIZED_FIELD_OR_TYPE']);
    expect(people.queries).not.toContain('name');
  });
});

describe('RFC 8725 section 3.1: algorithms', () => {
  it.each(['none', 'None', 'NONE', ''])('refuses alg "%s"', async (alg) => {
    const token = unsigned(
      { alg, typ: 'at+jwt', kid: issuer.keys[0]?.kid },
      issuer.claims({ scope: 'name' }),
    );
    await expectTokenRefused(`${token}.`);
    await expectTokenRefused(`${token}.${'A'.repeat(86)}`);
  });

  it('refuses HMAC with the public key as its secret', async () => {
    const jwk = issuer.keys[0]?.publicJwk;
    const input = unsigned({ alg: 'HS256', typ: 'at+jwt', kid: jwk?.kid }, issuer.claims({ scope: 'name' }));
    for (const secret of [JSON.stringify(jwk), String(jwk?.x), Buffer.from(String(jwk?.x), 'base64url')]) {
      const signature = createHmac('sha256', secret).update(input).digest('base64url');
      await expectTokenRefused(`${input}.${signature}`);
    }
  });

  it('refuses an algorithm that the issuer does not list', async () => {
    const own = await TestIssuer.start('RS256');
    cleanup.add(() => own.close());
    const at = await startTestGateway(cleanup, supergraph, {
      issuers: [{ issuer: own.url, audience: AUDIENCE, algorithms: ['ES256'] }],
    });
    expectRefused(await at.ask(READ, { token: await own.mint({ scope: 'name' }) }));
  });

  it('refuses a stranger’s signature under the issuer’s kid', async () => {
    const stranger = { ...(await makeKey('ES256')), kid: issuer.keys[0]?.kid ?? '' };
    await expectTokenRefused(await issuer.mint({ scope: 'name' }, { key: stranger }));
  });

  it('never uses keys and addresses from the token (jwk, jku, x5u)', async () => {
    const stranger = await makeKey('ES256');
    let asked = 0;
    const trap = await listen((_request, response) => {
      asked += 1;
      sendJson(response, 200, { keys: [stranger.publicJwk] });
    });
    cleanup.add(() => trap.close());
    for (const header of [
      { jwk: stranger.publicJwk },
      { jku: `${trap.url}/jwks` },
      { x5u: `${trap.url}/cert` },
      { jku: `${trap.url}/jwks`, kid: issuer.keys[0]?.kid },
    ]) {
      await expectTokenRefused(await issuer.mint({ scope: 'name' }, { key: stranger, header }));
    }
    expect(asked).toBe(0);
  });

  it('refuses an unknown critical extension (RFC 7515 section 4.1.11)', async () => {
    const key = issuer.keys[0];
    if (key === undefined) throw new Error('no key');
    const token = await new SignJWT(issuer.claims({ scope: 'name' }))
      .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'at+jwt', crit: ['exp'], exp: 1 })
      .sign(key.privateKey, { crit: { exp: true } });
    await expectTokenRefused(token);
  });
});

describe('RFC 9068 section 4: claims', () => {
  const now = (): number => Math.floor(Date.now() / 1000);

  it.each<[string, () => Record<string, unknown>]>([
    ['an untrusted issuer', () => ({ iss: 'https://evil.example' })],
    ['no issuer', () => ({ iss: undefined })],
    ['an issuer list', () => ({ iss: [issuer.url] })],
    ['another audience', () => ({ aud: 'https://else.example' })],
    ['no audience', () => ({ aud: undefined })],
    ['the audience of another issuer', () => ({ aud: 'https://other.example' })],
    ['an end in the past', () => ({ iat: now() - 600, exp: now() - 10 })],
    ['no end', () => ({ exp: undefined })],
    ['an expiry that is not a number', () => ({ exp: '9999999999' })],
    ['a beginning in the future (nbf)', () => ({ nbf: now() + 60 })],
    ['an issue time in the future', () => ({ iat: now() + 60 })],
    ['no issue time', () => ({ iat: undefined })],
    ['no subject', () => ({ sub: undefined })],
    ['an empty subject', () => ({ sub: '' })],
    ['a subject that is a number', () => ({ sub: 1 })],
    ['a subject that is a list', () => ({ sub: ['c-000001'] })],
    ['a token id that is not a string', () => ({ jti: 7 })],
    ['no client', () => ({ client_id: undefined })],
    ['a client that is not a string', () => ({ client_id: ['budget-app'] })],
    ['scopes that are a number', () => ({ scope: 5 })],
    ['scopes that are an object', () => ({ scope: { name: true } })],
    ['scopes with a list in the list', () => ({ scope: [['name']] })],
    ['scopes with a line break', () => ({ scope: 'name\nemail' })],
    ['roles that are not words', () => ({ roles: [1] })],
    ['a consent that is text', () => ({ consent: 'c1' })],
    ['a consent without an id', () => ({ consent: { version: 1, purposes: [], detail: 'full' } })],
    [
      'a consent with odd purposes',
      () => ({ consent: { id: 'c', version: 1, purposes: [1], detail: 'full' } }),
    ],
    [
      'a consent of unknown detail',
      () => ({ consent: { id: 'c', version: 1, purposes: [], detail: 'all' } }),
    ],
    [
      'a consent with half a version',
      () => ({ consent: { id: 'c', version: 1.5, purposes: [], detail: 'full' } }),
    ],
    [
      'a consent whose end is text',
      () => ({ consent: { id: 'c', version: 1, purposes: [], detail: 'full', until: 'never' } }),
    ],
    [
      'a consent that has ended',
      () => ({ consent: { id: 'c', version: 1, purposes: [], detail: 'full', until: now() - 1 } }),
    ],
    ['an actor without a name', () => ({ act: { client_id: 'x' } })],
    ['an actor that is text', () => ({ act: 'robot' })],
    ['an actor whose actor is a list', () => ({ act: { sub: 'a', act: [] } })],
    [
      'an endless chain of actors',
      () => ({ act: Array.from({ length: 20 }).reduce<object>((act) => ({ sub: 'a', act }), { sub: 'a' }) }),
    ],
  ])('refuses %s', async (_name, claims) => {
    await expectTokenRefused(await issuer.mint({ scope: 'name', ...claims() }));
  });

  it.each([undefined, 'JWT', 'id+jwt', 'at+jwt2', 'txntoken+jwt', 'secevent+jwt', 'logout+jwt'])(
    'refuses type %s (RFC 8725 section 3.11)',
    async (typ) => {
      await expectTokenRefused(await issuer.mint({ scope: 'name' }, { header: { typ } }));
    },
  );

  it('refuses an issuer mix-up: A’s key, B’s name', async () => {
    const key = issuer.keys[0];
    if (key === undefined) throw new Error('no key');
    await expectTokenRefused(
      await other.mint({ azp: 'x', scp: ['name'], aud: 'https://other.example' }, { key }),
    );
    // B's key under A's name, with A's kid.
    const forged = { ...(other.keys[0] ?? key), kid: key.kid };
    await expectTokenRefused(await issuer.mint({ scope: 'name' }, { key: forged }));
  });
});

describe('RFC 6750: presentation', () => {
  it('refuses what cannot be a token', async () => {
    for (const value of ['Bearer', 'Bearer ', 'Bearer a b', 'Bearer {}', 'Bearer a.b', 'Bearer a.b.c.d']) {
      expectRefused(await gateway.ask(READ, { headers: { authorization: value } }));
    }
    expect(gateway.log.of('AUTHENTICATION_FAILED').at(-1)?.reason).toBe('TOKEN_MALFORMED');
  });

  it('refuses an oversized token before parsing it', async () => {
    expect(() => presentedToken([`Bearer ${'a'.repeat(16_385)}`])).toThrow('The access token is not valid');
    // Over HTTP it does not even get this far.
    const answer = await gateway.ask(READ, { headers: { authorization: `Bearer ${'a'.repeat(16_385)}` } });
    expect(answer.status).toBe(431);
    expectRefused(await gateway.ask(READ, { headers: { authorization: `Bearer ${'a'.repeat(15_000)}` } }));
  });

  it('refuses two Authorization headers, even if equal', async () => {
    const good = await issuer.mint({ scope: 'name' });
    const limited = await issuer.mint();
    for (const second of [good, limited, 'x']) {
      const answer = await gateway.ask(READ, {
        headers: { authorization: [`Bearer ${good}`, `Bearer ${second}`] },
      });
      expect(answer.status).toBe(400);
      expect(codes(answer)).toEqual(['INVALID_REQUEST']);
      expect(answer.headers['www-authenticate']).toContain('error="invalid_request"');
      expect(people.requests).toEqual([]);
    }
  });

  it('refuses another scheme instead of treating it as anonymous', async () => {
    const token = await issuer.mint({ scope: 'name' });
    for (const value of ['Basic YTpi', `DPoPx ${token}`, token, `Token ${token}`]) {
      const answer = await gateway.ask('{ hello }', { headers: { authorization: value } });
      expect(answer.status).toBe(400);
      expect(codes(answer)).toEqual(['INVALID_REQUEST']);
    }
    expect(people.requests).toEqual([]);
    const answer = await gateway.ask(READ, { headers: { authorization: `bEaReR ${token}` } });
    expect(answer.body.errors).toBeUndefined();
  });

  it('ignores a token in the query string, body or cookie', async () => {
    const token = await issuer.mint({ scope: 'name' });
    const answer = await send(
      `${gateway.url}/graphql?access_token=${token}`,
      JSON.stringify({ query: READ, access_token: token, extensions: { authorization: `Bearer ${token}` } }),
      { 'content-type': 'application/json', cookie: `access_token=${token}` },
    );
    expect(answer.body.data).toMatchObject({ me: { name: null } });
    expect(people.requests.map(({ text }) => text).join()).not.toContain(token);
  });

  it('admits anonymous callers if allowed, or asks for a token', async () => {
    const open = await gateway.ask(READ);
    expect(open.status).toBe(200);
    expect(open.body.data).toEqual({ me: { id: 'c-000001', name: null }, hello: 'hello world' });

    people.requests.length = 0;
    const closed = await startTestGateway(cleanup, supergraph, {
      issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
      authorization: { anonymous: 'refuse' },
    });
    const refused = await closed.ask('{ hello }');
    expect(refused.status).toBe(401);
    expect(codes(refused)).toEqual(['UNAUTHENTICATED']);
    // RFC 6750 section 3: without credentials the challenge has no error.
    expect(refused.headers['www-authenticate']).toMatch(BOTH_SCHEMES);
    expect(people.requests).toEqual([]);
    // Before the operation is read, so nobody learns whether a field exists.
    expect(codes(await closed.ask('{ nothing }'))).toEqual(['UNAUTHENTICATED']);
    await expectAccepted(await issuer.mint({ scope: 'name' }), closed);
  });
});

describe('claims of a foreign issuer', () => {
  it('are read from the configured places', async () => {
    const token = await other.mint({
      aud: 'https://other.example',
      client_id: undefined,
      azp: 'foreign-app',
      scope: 'email',
      scp: ['name'],
      entitlements: 'vip other',
      groups: ['staff'],
    });
    const answer = await gateway.ask('{ me { name email vip } }', { token });
    expect(answer.body.data).toEqual({ me: { name: 'Name of c-000001', email: null, vip: 'gold' } });
    const sent = people.requests.at(-1)?.headers['txn-token'];
    const claims = JSON.parse(
      Buffer.from(String(sent).split('.')[1] ?? '', 'base64url').toString(),
    ) as object;
    expect(claims).toMatchObject({
      scope: 'name',
      tctx: { policies: ['vip'], roles: ['staff'] },
      sub: 'other:c-000001',
      rctx: { client_id: 'other:foreign-app' },
    });
  });

  it('are ignored in tokens of an issuer without the mapping', async () => {
    const token = await issuer.mint({ scp: ['name'], entitlements: ['vip'], policies: ['vip'], azp: 'x' });
    const answer = await gateway.ask('{ me { id name vip } }', { token });
    expect(answer.body.data).toEqual({ me: { id: 'c-000001', name: null, vip: null } });
  });
});

describe('verified once, checked every time', () => {
  it('expiry of token and consent hold despite a remembered verification', async () => {
    const end = Math.floor(clock.now() / 1000) + 30;
    const tokens = [
      await issuer.mint({ scope: 'name', exp: end }),
      await issuer.mint({
        scope: 'name',
        consent: { id: 'c', version: 1, purposes: [], detail: 'full', until: end },
      }),
    ];
    for (const token of tokens) await expectAccepted(token);
    await clock.advance(end * 1_000 - clock.now());
    people.requests.length = 0;
    await expectTokenRefused(tokens[0] ?? '', 'EXPIRED');
    await expectTokenRefused(tokens[1] ?? '', 'CONSENT_ENDED');
  });

  it('any one-character change of a valid token is refused', async () => {
    const token = await issuer.mint({
      scope: 'name',
      consent: { id: 'c', version: 1, purposes: [], detail: 'full' },
    });
    await expectAccepted(token);
    const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~+/=';
    await fc.assert(
      fc.asyncProperty(
        fc.nat(token.length - 1),
        fc.nat(ALPHABET.length - 1).map((index) => ALPHABET.charAt(index)),
        fc.constantFrom('replace', 'insert', 'remove'),
        async (at, character, change) => {
          const rest = change === 'insert' ? token.slice(at) : token.slice(at + 1);
          const changed = token.slice(0, at) + (change === 'remove' ? '' : character) + rest;
          fc.pre(changed !== token);
          people.requests.length = 0;
          const answer = await ask(`${gateway.url}/graphql`, READ, { token: changed });
          expect(answer.status).toBe(401);
          expect(people.requests).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });
});
