import { randomBytes } from 'node:crypto';
import * as oauth from 'oauth4webapi';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { GatewayOverrides } from '../../gateway/index.js';
import { DpopNonces, NONCE_PERIOD_SECONDS } from '../../gateway/authenticate/dpop/nonce.js';
import { ManualClock } from '../support/manual-clock.js';
import { Prover } from './dpop.js';
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
import type { Answer, TestGateway } from './support.js';

const READ = '{ me { id name } }';
const READ_DATA = { me: { id: 'c-000001', name: 'Name of c-000001' } };
const cleanup = new Cleanup();
let issuer: TestIssuer;
let people: TestSubgraph;
let supergraph: string;
let gateway: TestGateway;
let target: string;
let prover: Prover;
let token: string;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  supergraph = compose(people);
  gateway = await start();
  target = `${gateway.url}/graphql`;
  prover = await Prover.create();
  token = await issuer.mint({ scope: 'name', cnf: prover.cnf });
});
afterAll(() => cleanup.run());
beforeEach(() => {
  people.requests.length = 0;
});

function start(nonceKey?: string, more = {}, overrides: GatewayOverrides = {}): Promise<TestGateway> {
  const config = {
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    dpop: { nonce: 'required' as const, ...(nonceKey === undefined ? {} : { nonceKey }) },
    ...more,
  };
  return startTestGateway(cleanup, supergraph, config, overrides);
}

async function askWith(nonce: unknown, at = gateway): Promise<Answer> {
  return at.ask(READ, await prover.show(`${at.url}/graphql`, token, { claims: { nonce } }));
}

function nonceOf({ headers }: Answer): string {
  const value = headers['dpop-nonce'];
  if (typeof value !== 'string') throw new Error('no nonce');
  return value;
}

function expectNonceAsked(answer: Answer, reason: string, at = gateway): void {
  expect(answer.status).toBe(401);
  expect(codes(answer)).toEqual(['USE_DPOP_NONCE']);
  expect(answer.headers['www-authenticate']).toMatch(/^DPoP error="use_dpop_nonce", .*algs="/);
  expect(answer.headers['cache-control']).toBe('no-store');
  expect(people.requests).toEqual([]);
  expect(at.log.of('AUTHENTICATION_FAILED').at(-1)?.reason).toBe(reason);
}

describe('section 9: a nonce of the resource server', () => {
  it('is requested, issued and accepted', async () => {
    const asked = await askWith(undefined);
    expectNonceAsked(asked, 'NONCE_MISSING');
    const answer = await askWith(nonceOf(asked));
    expect(answer.body).toEqual({ data: READ_DATA });
    // Nothing to replace it with.
    expect(answer.headers['dpop-nonce']).toBeUndefined();
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  it.each<unknown>(['', 'forged', 7, null, ['x'], 'A'.repeat(43)])(
    'is refused if made up: %j',
    async (nonce) => {
      expectNonceAsked(await askWith(nonce), 'NONCE_NOT_ACCEPTED');
    },
  );

  it('is refused from another gateway, unless they share a key', async () => {
    const stranger = await start();
    expectNonceAsked(await askWith(nonceOf(await askWith(undefined, stranger))), 'NONCE_NOT_ACCEPTED');
    const key = randomBytes(32).toString('base64url');
    const [one, another] = [await start(key), await start(key)];
    people.requests.length = 0;
    const shared = nonceOf(await askWith(undefined, one));
    expect((await askWith(shared, another)).body).toEqual({ data: READ_DATA });
  });

  it('comes with every challenge that a proof could meet, and no other', async () => {
    const current = nonceOf(await askWith(undefined));
    const bearer = await gateway.ask(READ, { token: `${token}x` });
    expect(bearer.status).toBe(401);
    expect(nonceOf(bearer)).toBe(current);
    expect((await gateway.ask(READ)).headers['dpop-nonce']).toBeUndefined();
    const unbound = await issuer.mint({ scope: 'name' });
    expect((await gateway.ask(READ, { token: unbound })).headers['dpop-nonce']).toBeUndefined();
  });

  it('does not replace the other checks', async () => {
    const nonce = nonceOf(await askWith(undefined));
    const proof = await prover.prove(target, token, { claims: { nonce } });
    const headers = { authorization: `DPoP ${token}`, dpop: proof };
    expect((await gateway.ask(READ, { headers })).status).toBe(200);
    expect(codes(await gateway.ask(READ, { headers }))).toEqual(['INVALID_DPOP_PROOF']);
    const old = await prover.show(target, token, { claims: { nonce, iat: 1 } });
    expect(codes(await gateway.ask(READ, old))).toEqual(['INVALID_DPOP_PROOF']);
  });
});

describe('section 8.2: an aging nonce', () => {
  it('is replaced with the answer, and later refused', async () => {
    const clock = ManualClock.running();
    const aging = await start(undefined, {}, { clock });
    const fresh = await issuer.mint({ scope: 'name', cnf: prover.cnf });
    const ask = async (query: string, nonce?: string): Promise<Answer> =>
      aging.ask(
        query,
        await prover.show(`${aging.url}/graphql`, fresh, { claims: { iat: atOnce(), nonce } }),
      );
    const atOnce = (): number => Math.floor(clock.now() / 1000);
    // A second after the beginning of a period.
    const periodMs = NONCE_PERIOD_SECONDS * 1000;
    await clock.advance(periodMs - (clock.now() % periodMs) + 1_000);
    const first = nonceOf(await ask(READ));
    await clock.advance(periodMs);
    const answer = await ask(READ, first);
    expect(answer.body).toEqual({ data: READ_DATA });
    const second = nonceOf(answer);
    expect(second).not.toBe(first);
    // Whatever the operation's outcome.
    expect(nonceOf(await ask('{ nothing }', first))).toBe(second);
    await clock.advance(periodMs);
    expect(codes(await ask(READ, first))).toEqual(['USE_DPOP_NONCE']);
    expect((await ask(READ, second)).body).toEqual({ data: READ_DATA });
  });

  it('from a gateway whose clock is slightly ahead is accepted', () => {
    const key = randomBytes(32);
    const at = 1_000_000 * NONCE_PERIOD_SECONDS * 1000;
    const nonces = new DpopNonces(key, { now: () => at });
    const ofPeriod = (offset: number): string =>
      new DpopNonces(key, { now: () => at + offset * NONCE_PERIOD_SECONDS * 1000 }).current();
    expect([-2, -1, 0, 1, 2].map((offset) => nonces.isAccepted(ofPeriod(offset)))).toEqual([
      false,
      true,
      true,
      true,
      false,
    ]);
  });

  it('is replaced at the administrators’ address, too', async () => {
    const administered = await start(undefined, { administration: { scope: 'gateway:admin' } });
    const admin = await issuer.mint({ scope: 'gateway:admin', cnf: prover.cnf });
    const url = `${administered.url}/admin/explain`;
    const explain = async (nonce?: string): Promise<Answer> =>
      send(url, JSON.stringify({ query: READ }), {
        'content-type': 'application/json',
        ...(await prover.show(url, admin, { claims: { nonce } })).headers,
      });
    const asked = await explain();
    expect(asked.status).toBe(401);
    expect((await explain(nonceOf(asked))).status).toBe(200);
  });
});

describe('a real client', () => {
  // The libraries deprecate the option that permits plain http, which the tests use on the loopback interface.
  const permitHttp = (oidc as Readonly<Record<string, unknown>>)['allowInsecureRequests'] as (
    client: oidc.Configuration,
  ) => void;
  const insecure = (oauth as Readonly<Record<string, unknown>>)['allowInsecureRequests'] as symbol;
  const json = (): Headers => new Headers({ 'content-type': 'application/json' });

  it('openid-client retries with the nonce by itself, and keeps it', async () => {
    const client = new oidc.Configuration({ issuer: issuer.url }, 'budget-app');
    permitHttp(client);
    const handle = oidc.getDPoPHandle(client, await oidc.randomDPoPKeyPair());
    const bound = await issuer.mint({ scope: 'name', cnf: { jkt: await handle.calculateThumbprint() } });
    const before = gateway.log.of('AUTHENTICATION_FAILED').length;
    for (let round = 0; round < 3; round += 1) {
      const response = await oidc.fetchProtectedResource(
        client,
        bound,
        new URL(target),
        'POST',
        JSON.stringify({ query: READ }),
        json(),
        { DPoP: handle },
      );
      expect(await response.json()).toEqual({ data: READ_DATA });
    }
    const reasons = gateway.log.of('AUTHENTICATION_FAILED').slice(before);
    expect(reasons.map(({ reason }) => reason)).toEqual(['NONCE_MISSING']);
  });

  it('oauth4webapi reads the challenge', async () => {
    const keys = await oauth.generateKeyPair('Ed25519');
    const handle = oauth.DPoP({ client_id: 'budget-app' } as oauth.Client, keys);
    const bound = await issuer.mint({ scope: 'name', cnf: { jkt: await handle.calculateThumbprint() } });
    const request = (): Promise<Response> =>
      oauth.protectedResourceRequest(
        bound,
        'POST',
        new URL(target),
        json(),
        JSON.stringify({ query: READ }),
        {
          DPoP: handle,
          [insecure]: true,
        },
      );
    const refusal: unknown = await request().catch((error: unknown) => error);
    expect(oauth.isDPoPNonceError(refusal)).toBe(true);
    const { cause } = refusal as oauth.WWWAuthenticateChallengeError;
    expect(cause).toMatchObject([
      {
        scheme: 'dpop',
        parameters: {
          error: 'use_dpop_nonce',
          algs: 'ES256 Ed25519 EdDSA PS256',
          resource_metadata: `${gateway.url}/.well-known/oauth-protected-resource/graphql`,
        },
      },
    ]);
    expect(await (await request()).json()).toEqual({ data: READ_DATA });
  });
});
