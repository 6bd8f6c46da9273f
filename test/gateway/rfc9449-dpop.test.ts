import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { exportJWK, exportSPKI, generateKeyPair } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { GatewayOverrides } from '../../gateway/index.js';
import { ManualClock } from '../support/manual-clock.js';
import { compact, Prover } from './dpop.js';
import type { ProofParts } from './dpop.js';
import {
  AUDIENCE,
  Cleanup,
  codes,
  compose,
  send,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
} from './support.js';
import type { Answer, Asking, TestGateway } from './support.js';

const READ = '{ me { id name } hello }';
const cleanup = new Cleanup();
let issuer: TestIssuer;
let other: TestIssuer;
let people: TestSubgraph;
let supergraph: string;
let gateway: TestGateway;
let target: string;
let prover: Prover;
let thief: Prover;
let token: string;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  other = await TestIssuer.start();
  people = await TestSubgraph.start('people');
  for (const each of [issuer, other, people]) cleanup.add(() => each.close());
  supergraph = compose(people);
  gateway = await start();
  target = `${gateway.url}/graphql`;
  prover = await Prover.create();
  thief = await Prover.create();
  token = await issuer.mint({ scope: 'name', cnf: prover.cnf });
});
afterAll(() => cleanup.run());
beforeEach(() => {
  people.requests.length = 0;
});

function start(
  more: Partial<Parameters<typeof startTestGateway>[2]> = {},
  overrides: GatewayOverrides = {},
): Promise<TestGateway> {
  const issuers = [
    { issuer: issuer.url, audience: AUDIENCE },
    { issuer: other.url, audience: AUDIENCE, namespace: 'other' },
  ];
  return startTestGateway(cleanup, supergraph, { issuers, ...more }, overrides);
}

function expectAccepted(answer: Answer): void {
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({
    data: { me: { id: 'c-000001', name: 'Name of c-000001' }, hello: 'hello world' },
  });
}

/** Refused as a whole: no subgraph received it, and only the log names the failed check. */
function expectRefused(answer: Answer, code: string, reason: string, at = gateway): void {
  expect(answer.status).toBe(401);
  expect(codes(answer)).toEqual([code]);
  expect(answer.body.data).toBeUndefined();
  expect(people.requests).toEqual([]);
  expect(at.log.of('AUTHENTICATION_FAILED').at(-1)?.reason).toBe(reason);
  expect(answer.text + JSON.stringify(answer.headers)).not.toContain(reason);
}

function expectProofRefused(answer: Answer, reason: string, at = gateway): void {
  expectRefused(answer, 'INVALID_DPOP_PROOF', reason, at);
  expect(answer.headers['www-authenticate']).toMatch(
    /^DPoP error="invalid_dpop_proof", error_description="[^"]+", algs="ES256 Ed25519 EdDSA PS256", resource_metadata="[^"]+"$/,
  );
}

async function askWith(parts: ProofParts): Promise<Answer> {
  return gateway.ask(READ, await prover.show(target, token, parts));
}

const withProof = (...dpop: string[]): Asking => ({ headers: { authorization: `DPoP ${token}`, dpop } });

describe('section 7.1: a bound token with a proof', () => {
  it.each(['ES256', 'Ed25519', 'EdDSA', 'PS256'])('is accepted, signed with %s', async (alg) => {
    const own = await Prover.create(alg);
    const bound = await issuer.mint({ scope: 'name', cnf: own.cnf });
    expectAccepted(await gateway.ask(READ, await own.show(target, bound)));
  });

  it('is accepted again with a new proof, by its remembered verification', async () => {
    const before = issuer.keyRequests;
    for (let round = 0; round < 3; round += 1)
      expectAccepted(await gateway.ask(READ, await prover.show(target, token)));
    expect(issuer.keyRequests - before).toBeLessThanOrEqual(1);
  });

  it('is accepted with the scheme in any case', async () => {
    const proof = await prover.prove(target, token);
    expectAccepted(await gateway.ask(READ, { headers: { authorization: `dpop ${token}`, dpop: proof } }));
  });

  it('and its proof reach no subgraph', async () => {
    const proof = await prover.prove(target, token);
    expectAccepted(await gateway.ask(READ, withProof(proof)));
    const seen = people.requests.map(({ text }) => text).join('\n');
    expect(seen).not.toBe('');
    expect(seen).not.toContain(token);
    expect(seen).not.toContain(proof);
  });
});

describe('section 4.3: each check refuses by itself', () => {
  it('1: no proof, two proofs, or two in one header', async () => {
    expectProofRefused(await gateway.ask(READ, withProof()), 'PROOF_MISSING');
    const proof = await prover.prove(target, token);
    const another = await prover.prove(target, token);
    expectProofRefused(await gateway.ask(READ, withProof(proof, another)), 'PROOF_REPEATED');
    expectProofRefused(await gateway.ask(READ, withProof(proof, proof)), 'PROOF_REPEATED');
    expectProofRefused(await gateway.ask(READ, withProof(`${proof}, ${another}`)), 'PROOF_MALFORMED');
  });

  it('2: an invalid JWT, and another spelling of the signature', async () => {
    const proof = await prover.prove(target, token);
    for (const value of ['', 'x', 'a.b', 'a.b.c.d', `${proof}=`, `"${proof}"`, `${proof}.`]) {
      expectProofRefused(await gateway.ask(READ, withProof(value)), 'PROOF_MALFORMED');
    }
    expectProofRefused(await gateway.ask(READ, withProof('W10.e30.AAAA')), 'PROOF_MALFORMED');
    expectProofRefused(await gateway.ask(READ, withProof(`${proof}${'A'.repeat(8_192)}`)), 'PROOF_MALFORMED');
  });

  it.each<[string, Record<string, unknown>]>([
    ['PROOF_METHOD', { htm: undefined }],
    ['PROOF_TARGET', { htu: undefined }],
    ['PROOF_TIME', { iat: undefined }],
    ['PROOF_ID', { jti: undefined }],
    ['PROOF_TOKEN_HASH', { ath: undefined }],
    ['PROOF_ID', { jti: '' }],
    ['PROOF_ID', { jti: 7 }],
    ['ERR_JWT_CLAIM_VALIDATION_FAILED', { iat: 'now' }],
    ['PROOF_METHOD', { htm: ['POST'] }],
    ['PROOF_TARGET', { htu: { href: 'x' } }],
  ])('3: a missing or mistyped claim: %s %j', async (reason, claims) => {
    expectProofRefused(await askWith({ claims }), reason);
  });

  it.each([undefined, 'JWT', 'at+jwt', 'DPOP+JWT', 'application/dpop+jwt', 'dpop+jwt ', 7])(
    '4: the type %j',
    async (typ) => {
      expectProofRefused(await askWith({ header: { typ } }), 'PROOF_TYPE');
    },
  );

  it('5: no signature, a secret, and an algorithm not on the list', async () => {
    const claims = prover.claims(target, token);
    for (const alg of ['none', 'None', 'HS256', 'RS256', '', undefined]) {
      const proof = compact({ ...prover.header(), alg }, claims);
      expectProofRefused(await gateway.ask(READ, withProof(proof)), 'PROOF_ALGORITHM');
    }
    expectProofRefused(
      await gateway.ask(READ, withProof(compact(prover.header(), claims, ''))),
      'PROOF_MALFORMED',
    );
  });

  it('5: the public key as a secret (algorithm confusion)', async () => {
    const { publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(publicKey);
    const input = compact({ typ: 'dpop+jwt', alg: 'HS256', jwk }, prover.claims(target, token), '').slice(
      0,
      -1,
    );
    const signature = createHmac('sha256', await exportSPKI(publicKey))
      .update(input)
      .digest('base64url');
    expectProofRefused(await gateway.ask(READ, withProof(`${input}.${signature}`)), 'PROOF_ALGORITHM');
  });

  it('6: a signature by another key than the embedded one', async () => {
    const answer = await askWith({ signer: thief.privateKey });
    expectProofRefused(answer, 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED');
  });

  it('7: a private key, a secret, and an invalid key', async () => {
    const refused: [unknown, string][] = [
      [prover.privateJwk, 'KEY_PRIVATE'],
      [{ ...prover.publicJwk, k: 'c2VjcmV0' }, 'KEY_PRIVATE'],
      [{ kty: 'oct', k: 'c2VjcmV0' }, 'KEY_NOT_ASYMMETRIC'],
      [{ ...prover.publicJwk, kty: 'ec' }, 'KEY_NOT_ASYMMETRIC'],
      [undefined, 'KEY_MISSING'],
      ['key', 'KEY_MISSING'],
      [[], 'KEY_MISSING'],
      [{ kty: 'EC' }, 'KEY_UNREADABLE'],
      [{ ...prover.publicJwk, x: 7 }, 'KEY_UNREADABLE'],
    ];
    for (const [jwk, reason] of refused) expectProofRefused(await askWith({ header: { jwk } }), reason);
  });

  it.each(['GET', 'post', 'PUT', '', ' POST'])('8: made for the method %j', async (htm) => {
    expectProofRefused(await askWith({ claims: { htm } }), 'PROOF_METHOD');
  });

  it('9: made for another address', async () => {
    const { host, port } = new URL(target);
    for (const htu of [
      `http://evil.example/graphql`,
      `http://localhost:${port}/graphql`,
      `https://${host}/graphql`,
      `http://127.0.0.1:1/graphql`,
      `http://127.0.0.1/graphql`,
      `http://${host}/`,
      `http://${host}/graphql/`,
      `http://${host}/GraphQL`,
      `http://${host}/graphql%2F`,
      `http://user@${host}/graphql`,
      `http://${host}@evil.example/graphql`,
      '/graphql',
      '',
      ` ${target}`,
      target.replace('/graphql', '\\graphql'),
      target.replace('graphql', 'gra\tphql'),
    ]) {
      expectProofRefused(await askWith({ claims: { htu } }), 'PROOF_TARGET');
    }
  });

  it('9: equivalent spellings of the address match (RFC 3986 sections 6.2.2 and 6.2.3)', async () => {
    for (const htu of [
      target.replace('http:', 'HTTP:'),
      `${target}?query=x`,
      `${target}#fragment`,
      target.replace('/graphql', '/a/../graphql'),
      target.replace('/graphql', '/./graphql'),
      target.replace('graphql', '%67r%61phql'),
    ]) {
      expectAccepted(await askWith({ claims: { htu } }));
    }
  });

  it('9: the Host header does not choose the address', async () => {
    const stolen = await prover.show('http://evil.example/graphql', token);
    const headers = { ...stolen.headers, host: 'evil.example', 'x-forwarded-host': 'evil.example' };
    expectProofRefused(await gateway.ask(READ, { headers }), 'PROOF_TARGET');
  });

  it('11: from the future, and too old', async () => {
    const now = Math.floor(Date.now() / 1000);
    for (const iat of [now + 30, now + 86_400, 1e300])
      expectProofRefused(await askWith({ claims: { iat } }), 'PROOF_IN_FUTURE');
    for (const iat of [now - 65, now - 86_400, 0, -1])
      expectProofRefused(await askWith({ claims: { iat } }), 'PROOF_OLD');
    expectAccepted(await askWith({ claims: { iat: now + 2 } }));
  });

  it('11: made before the gateway started, possibly already used', async () => {
    const now = Math.floor(Date.now() / 1000);
    const restarted = await start();
    const proof = await prover.show(`${restarted.url}/graphql`, token, { claims: { iat: now - 20 } });
    expectProofRefused(await restarted.ask(READ, proof), 'PROOF_BEFORE_START', restarted);
  });

  it('11.1: a replayed proof, also with its time respelled', async () => {
    const proof = await prover.prove(target, token, { claims: { jti: 'once' } });
    expectAccepted(await gateway.ask(READ, withProof(proof)));
    people.requests.length = 0;
    expectProofRefused(await gateway.ask(READ, withProof(proof)), 'PROOF_REPLAYED');
    const again = await prover.prove(target, token, { claims: { jti: 'once', extra: 1 } });
    expectProofRefused(await gateway.ask(READ, withProof(again)), 'PROOF_REPLAYED');
  });

  it('11.1: of many concurrent uses of one proof, one is accepted', async () => {
    const proof = await prover.prove(target, token);
    const answers = await Promise.all(Array.from({ length: 20 }, () => gateway.ask(READ, withProof(proof))));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('11.1: nobody can use up the identifiers of another’s proofs', async () => {
    const stolen = await issuer.mint({ scope: 'name', cnf: thief.cnf });
    expectAccepted(await gateway.ask(READ, await thief.show(target, stolen, { claims: { jti: 'shared' } })));
    expectAccepted(await askWith({ claims: { jti: 'shared' } }));
  });

  it('12: a stolen token without its key', async () => {
    expectProofRefused(await gateway.ask(READ, await thief.show(target, token)), 'KEY_MISMATCH');
    // Nor with the key's public part, which its owner's proofs show.
    const borrowed = await thief.show(target, token, { header: { jwk: prover.publicJwk } });
    expectProofRefused(await gateway.ask(READ, borrowed), 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED');
  });

  it('12: a proof made for another token of the same key', async () => {
    const second = await issuer.mint({ scope: 'email', cnf: prover.cnf });
    const proof = await prover.prove(target, second);
    expectProofRefused(await gateway.ask(READ, withProof(proof)), 'PROOF_TOKEN_HASH');
  });

  it('an expired proof, and unknown critical extensions', async () => {
    expectProofRefused(await askWith({ claims: { exp: 1 } }), 'ERR_JWT_EXPIRED');
    const proof = compact({ ...prover.header(), crit: ['x'], x: 1 }, prover.claims(target, token));
    expectProofRefused(await gateway.ask(READ, withProof(proof)), 'ERR_JOSE_NOT_SUPPORTED');
  });
});

describe('section 7.2: schemes', () => {
  it('a stolen bound token is refused as a bearer token, even with a proof (downgrade)', async () => {
    expectRefused(await gateway.ask(READ, { token }), 'INVALID_TOKEN', 'DPOP_DOWNGRADE');
    const dpop = await prover.prove(target, token);
    const answer = await gateway.ask(READ, { token, headers: { dpop } });
    expectRefused(answer, 'INVALID_TOKEN', 'DPOP_DOWNGRADE');
    // Both schemes are offered, and nothing is said about the token.
    expect(answer.headers['www-authenticate']).toMatch(
      /^Bearer error="invalid_token", error_description="[^"]+", resource_metadata="[^"]+", DPoP algs="[^"]+", resource_metadata="[^"]+"$/,
    );
  });

  it('an unbound token is refused under the DPoP scheme', async () => {
    const unbound = await issuer.mint({ scope: 'name' });
    const answer = await gateway.ask(READ, await thief.show(target, unbound));
    expectRefused(answer, 'INVALID_TOKEN', 'TOKEN_NOT_BOUND');
    expect(answer.headers['www-authenticate']).toMatch(/^DPoP error="invalid_token"/);
    expectAccepted(await gateway.ask(READ, { token: unbound }));
  });

  it('a proof without a token is anonymous', async () => {
    const answer = await gateway.ask(READ, { headers: { dpop: await prover.prove(target, token) } });
    expect(answer.body.data).toEqual({ me: { id: 'c-000001', name: null }, hello: 'hello world' });
  });

  it('unbound tokens are refused if DPoP is required, globally or per issuer', async () => {
    const unbound = await issuer.mint({ scope: 'name' });
    const elsewhere = await other.mint({ scope: 'name' });
    const all = await start({ dpop: { required: true } });
    for (const each of [unbound, elsewhere])
      expectRefused(await all.ask(READ, { token: each }), 'INVALID_TOKEN', 'DPOP_REQUIRED', all);
    expectAccepted(await all.ask(READ, await prover.show(`${all.url}/graphql`, token)));
    people.requests.length = 0;
    const named = await start({ dpop: { required: [issuer.url] }, authorization: { anonymous: 'refuse' } });
    expectRefused(await named.ask(READ, { token: unbound }), 'INVALID_TOKEN', 'DPOP_REQUIRED', named);
    expectAccepted(await named.ask(READ, { token: elsewhere }));
    expect((await named.ask(READ)).headers['www-authenticate']).toMatch(/^Bearer .*, DPoP algs=/);
  });

  it('only the DPoP scheme is offered if it is required', async () => {
    const all = await start({ dpop: { required: true }, authorization: { anonymous: 'refuse' } });
    expect((await all.ask(READ)).headers['www-authenticate']).toMatch(
      /^DPoP algs="[^"]+", resource_metadata="[^"]+"$/,
    );
  });
});

describe('RFC 7800: an unknown confirmation method', () => {
  const jkt = 'a'.repeat(42) + 'A';
  it.each<[string, unknown]>([
    ['CONFIRMATION_MALFORMED', null],
    ['CONFIRMATION_MALFORMED', {}],
    ['CONFIRMATION_MALFORMED', []],
    ['CONFIRMATION_MALFORMED', 'jkt'],
    ['CONFIRMATION_MALFORMED', { jkt: '' }],
    ['CONFIRMATION_MALFORMED', { jkt: 7 }],
    ['CONFIRMATION_MALFORMED', { jkt: `${jkt}=` }],
    ['CONFIRMATION_MALFORMED', { 'x5t#S256': 'short' }],
    ['CONFIRMATION_UNKNOWN', { jkt, kid: 'k' }],
    ['CONFIRMATION_UNKNOWN', { jwk: { kty: 'OKP' } }],
    ['CONFIRMATION_UNKNOWN', { __proto__: null, toString: jkt }],
  ])('refuses the token, under either scheme: %s %j', async (reason, cnf) => {
    const bound = await issuer.mint({ scope: 'name', cnf });
    expectRefused(await gateway.ask(READ, { token: bound }), 'INVALID_TOKEN', reason);
    expectRefused(await gateway.ask(READ, await prover.show(target, bound)), 'INVALID_TOKEN', reason);
  });
});

describe('every endpoint', () => {
  it('one proof is for one HTTP request: a batch needs one, a GET its own', async () => {
    const open = await start({ http: { get: true, batch: {} } });
    const url = `${open.url}/graphql`;
    const { headers } = await prover.show(url, token);
    const batch = await send(url, JSON.stringify([{ query: READ }, { query: READ }]), {
      'content-type': 'application/json',
      ...headers,
    });
    expect(batch.status).toBe(200);
    expect(batch.body).toMatchObject([
      { data: { me: { name: 'Name of c-000001' } } },
      { data: { hello: 'hello world' } },
    ]);

    const address = `${url}?query=${encodeURIComponent(READ)}`;
    const get = async (method: string): Promise<Answer> =>
      send(
        address,
        '',
        { 'content-type': 'application/json', ...(await prover.show(url, token, { method })).headers },
        'GET',
      );
    expectAccepted(await get('GET'));
    people.requests.length = 0;
    expectProofRefused(await get('POST'), 'PROOF_METHOD', open);
  });

  it('the administrators’ address needs a proof of its own', async () => {
    const administered = await start({ administration: { scope: 'gateway:admin' } });
    const admin = await issuer.mint({ scope: 'gateway:admin', cnf: prover.cnf });
    const url = `${administered.url}/admin/explain`;
    const explain = async (at: string): Promise<Answer> =>
      send(url, JSON.stringify({ query: READ }), {
        'content-type': 'application/json',
        ...(await prover.show(at, admin)).headers,
      });
    expect((await explain(url)).status).toBe(200);
    const refused = await explain(`${administered.url}/graphql`);
    expect(refused.status).toBe(401);
    expect(refused.body).toMatchObject({ error: 'INVALID_DPOP_PROOF' });
    expect(refused.headers['www-authenticate']).toMatch(
      /^DPoP error="invalid_dpop_proof", .*resource_metadata="[^"]+\/admin\/explain"$/,
    );
  });

  it('behind a proxy, the configured address counts', async () => {
    const behind = await start({ externalUrl: 'https://api.bank.example/v1/' });
    expectAccepted(
      await behind.ask(READ, await prover.show('https://API.bank.example:443/v1/graphql', token)),
    );
    people.requests.length = 0;
    const inner = await prover.show(`${behind.url}/graphql`, token);
    expectProofRefused(await behind.ask(READ, inner), 'PROOF_TARGET', behind);
  });
});

describe('the store of used proofs', () => {
  it('permits nothing when full', async () => {
    const small = await start({ dpop: { maxReplayEntries: 2 } });
    const url = `${small.url}/graphql`;
    for (let round = 0; round < 2; round += 1)
      expectAccepted(await small.ask(READ, await prover.show(url, token)));
    people.requests.length = 0;
    const answer = await small.ask(READ, await prover.show(url, token));
    expect(answer.status).toBe(503);
    expect(codes(answer)).toEqual(['REPLAY_STORE_UNAVAILABLE']);
    expect(answer.headers['retry-after']).toBe('1');
    expect(people.requests).toEqual([]);
    expect(small.log.of('AUTHENTICATION_FAILED').at(-1)?.reason).toBe('REPLAY_STORE_FULL');
    // Other tokens need no space in it.
    expectAccepted(await small.ask(READ, { token: await issuer.mint({ scope: 'name' }) }));
  });

  it('stores no invalid proofs', async () => {
    const small = await start({ dpop: { maxReplayEntries: 1 } });
    const url = `${small.url}/graphql`;
    for (const claims of [{ htm: 'GET' }, { htu: 'http://x.example' }, { ath: 'x' }, { iat: 1 }])
      expect((await small.ask(READ, await prover.show(url, token, { claims }))).status).toBe(401);
    expectAccepted(await small.ask(READ, await prover.show(url, token)));
  });
});

describe('any single change of a valid proof is refused', () => {
  /** Claims and header members for which every other value is wrong, however well the proof is signed. */
  const jsonValue = fc.jsonValue({ maxDepth: 2 });
  const changedClaim = fc
    .constantFrom('htm', 'htu', 'ath', 'iat')
    .chain((name) => jsonValue.map((value) => ({ claims: { [name]: value } })));
  const removedClaim = fc
    .constantFrom('htm', 'htu', 'ath', 'iat', 'jti')
    .map((name) => ({ claims: { [name]: undefined } }));
  const changedHeader = fc
    .constantFrom('typ', 'alg', 'jwk')
    .chain((name) =>
      fc.oneof(jsonValue, fc.constant(undefined)).map((value) => ({ header: { [name]: value } })),
    );
  const shiftedTime = fc
    .oneof(fc.integer({ min: 10, max: 1e9 }), fc.integer({ min: -1e9, max: -61 }))
    .map((seconds) => ({ claims: { iat: Math.floor(Date.now() / 1000) + seconds } }));

  it('of its content, signed again with the right key', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(changedClaim, removedClaim, changedHeader, shiftedTime),
        async (parts: ProofParts) => {
          const good = { ...prover.header(), ...prover.claims(target, token) };
          const [[name, value] = ['', undefined]] = Object.entries({ ...parts.header, ...parts.claims });
          fc.pre(JSON.stringify(value) !== JSON.stringify(good[name]));
          const now = Date.now() / 1000;
          fc.pre(name !== 'iat' || typeof value !== 'number' || value < now - 60 || value > now + 10);
          people.requests.length = 0;
          const proof = await proofWith(parts);
          const answer = await gateway.ask(READ, withProof(proof));
          expect(answer.status).toBe(401);
          expect(people.requests).toEqual([]);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('of any character', async () => {
    const proof = await prover.prove(target, token);
    const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~+/=';
    await fc.assert(
      fc.asyncProperty(
        fc.nat(proof.length - 1),
        fc.nat(ALPHABET.length - 1).map((index) => ALPHABET.charAt(index)),
        fc.constantFrom('replace', 'insert', 'remove'),
        async (at, character, change) => {
          const rest = change === 'insert' ? proof.slice(at) : proof.slice(at + 1);
          const changed = proof.slice(0, at) + (change === 'remove' ? '' : character) + rest;
          fc.pre(changed !== proof);
          people.requests.length = 0;
          const answer = await gateway.ask(READ, withProof(changed));
          expect(answer.status).toBe(401);
          expect(people.requests).toEqual([]);
        },
      ),
      { numRuns: 200 },
    );
    // The unchanged proof is valid, and the refused ones did not use it up.
    expectAccepted(await gateway.ask(READ, withProof(proof)));
  });

  /** jose does not sign with an unknown algorithm; an attacker would. */
  async function proofWith(parts: ProofParts): Promise<string> {
    const alg = parts.header?.alg;
    if (parts.header === undefined || !('alg' in parts.header) || alg === prover.alg)
      return prover.prove(target, token, parts);
    const proof = await prover.prove(target, token);
    const [, claims = '', signature = ''] = proof.split('.');
    const header = Buffer.from(JSON.stringify({ ...prover.header(), alg })).toString('base64url');
    return `${header}.${claims}.${signature}`;
  }
});

describe('time', () => {
  it('a proof expires to the second', async () => {
    const clock = ManualClock.running();
    const brief = await start({ dpop: { proofLifetimeSeconds: 30 } }, { clock });
    const url = `${brief.url}/graphql`;
    const iat = Math.floor(Date.now() / 1000);
    const ask = async () => brief.ask(READ, await prover.show(url, token, { claims: { iat } }));
    await clock.advance(20_000);
    expectAccepted(await ask());
    await clock.advance(11_000);
    people.requests.length = 0;
    expectProofRefused(await ask(), 'PROOF_OLD', brief);
  });
});
