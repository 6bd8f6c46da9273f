import { decodeJwt, exportJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../support/manual-clock.js';
import {
  ask,
  AUDIENCE,
  Cleanup,
  codes,
  compose,
  freePort,
  listen,
  makeKey,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
  until,
} from './support.js';
import type { TestGateway } from './support.js';

const cleanup = new Cleanup();
const refused: string[] = [];
let issuer: TestIssuer;
let people: TestSubgraph;
let accounts: TestSubgraph;
let gateway: TestGateway;
let clock: ManualClock;

beforeAll(async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const trust = { issuer: url, jwksUri: `${url}/.well-known/jwks.json` };
  clock = ManualClock.running();
  const onRefusedToken = (reason: string): void => void refused.push(reason);
  const options = { binding: 'required', onRefusedToken, clock } as const;
  issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people', trust, undefined, options);
  accounts = await TestSubgraph.start('accounts', trust, undefined, options);
  for (const each of [issuer, people, accounts]) cleanup.add(() => each.close());
  gateway = await startTestGateway(cleanup, compose(people, accounts), {
    listen: { port },
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    propagation: { bind: 'body' },
  });
});
afterAll(() => cleanup.run());
beforeEach(() => {
  people.requests.length = 0;
  refused.length = 0;
});

const READ = 'query Read($id: ID!) { person(id: $id) { id name accounts { id iban } } again: me { name } }';

describe('propagation.bind: body', () => {
  it('gives each subgraph request a token of its own, for one transaction', async () => {
    const token = await issuer.mint({ scope: 'name accounts accounts:full' });
    const answer = await gateway.ask(READ, { token, variables: { id: 'c-000001' }, operationName: 'Read' });
    expect(answer.body.errors).toBeUndefined();
    expect(refused).toEqual([]);
    // A second operation, whose plan is cached.
    await gateway.ask(READ, { token, variables: { id: 'c-000002' }, operationName: 'Read' });
    expect(refused).toEqual([]);
    const claims = people.requests.map(({ headers }) => decodeJwt(String(headers['txn-token'])));
    expect(claims).toHaveLength(2);
    expect(new Set(claims.map(({ jti }) => jti)).size).toBe(2);
    expect(new Set(claims.map(({ bind }) => (bind as { body: string }).body)).size).toBe(2);
  });

  it('a token lifted from one request works for no other, and only once', async () => {
    const token = await issuer.mint({ scope: 'name email' });
    await gateway.ask('{ me { name } }', { token });
    const [seen] = people.requests;
    const headers = { 'txn-token': String(seen?.headers['txn-token']) };
    const other = await ask(people.url, '{ me { name email } }', { headers });
    expect(other.body.data).toEqual({ me: { name: null, email: null } });
    // Byte for byte the request that the token came with, variables of the gateway included.
    const variables = (seen?.variables ?? {}) as Record<string, unknown>;
    const again = await ask(people.url, seen?.query ?? '', { headers, variables });
    expect(JSON.stringify(again.body.data)).not.toContain('Name of');
    expect(codes(again)).toContain('UNAUTHORIZED_FIELD_OR_TYPE');
    expect(refused).toEqual(['TXN_TOKEN_BODY', 'TXN_TOKEN_REPLAYED']);
  });

  it('covers entity requests, whose variables the gateway makes', async () => {
    const token = await issuer.mint({ scope: 'name accounts accounts:full' });
    accounts.requests.length = 0;
    const answer = await gateway.ask('{ me { accounts { id iban } } }', { token });
    expect(answer.body.errors).toBeUndefined();
    const sent = accounts.requests.at(-1);
    expect(sent?.query).toContain('_entities');
    const swapped = { representations: [{ __typename: 'Person', id: 'c-000002' }] };
    await ask(accounts.url, sent?.query ?? '', {
      variables: swapped,
      headers: { 'txn-token': String(sent?.headers['txn-token']) },
    });
    expect(refused).toEqual(['TXN_TOKEN_BODY']);
  });
});

describe('keys of the gateway (RFC 7517)', () => {
  /** Forwards the key set and counts requests for it. */
  async function counted(): Promise<{ jwksUri: string; fetches: () => number }> {
    let fetches = 0;
    const proxy = await listen(async (_request, response) => {
      fetches += 1;
      const keys = await gateway.running.gateway.jwks();
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(keys));
    });
    cleanup.add(() => proxy.close());
    return { jwksUri: `${proxy.url}/jwks`, fetches: () => fetches };
  }

  it('rotation under load, prepared or sudden, fails no request at the subgraph', async () => {
    const token = await issuer.mint({ scope: 'name' });
    let isOver = false;
    let answered = 0;
    const failures: unknown[] = [];
    const load = Array.from({ length: 4 }, async () => {
      while (!isOver) {
        const answer = await gateway.ask('{ me { name } }', { token });
        answered += 1;
        if (answer.body.errors !== undefined) failures.push(answer.body);
      }
    });
    const answers = async (): Promise<void> => {
      const before = answered;
      await until(() => answered >= before + 8, 'further answers');
    };
    for (let rotation = 0; rotation < 3; rotation += 1) {
      await gateway.running.gateway.rotateKeys();
      // Further apart than the subgraph's pause between two fetches.
      await clock.advance(1_200);
      await answers();
    }
    const stranger = await makeKey('EdDSA');
    await gateway.running.gateway.rotateKeys(await exportJWK(stranger.privateKey));
    await answers();
    isOver = true;
    await Promise.all(load);
    expect(failures).toEqual([]);
    expect(refused).toEqual([]);
    expect(answered).toBeGreaterThan(20);
  });

  it('unknown keys make a subgraph refetch the set only so often (DoS)', async () => {
    const { jwksUri, fetches } = await counted();
    const subgraph = await TestSubgraph.start('people', { issuer: gateway.url, jwksUri });
    cleanup.add(() => subgraph.close());
    const startedAtMs = Date.now();
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(
        Array.from({ length: 10 }, async () => {
          const { privateKey } = await makeKey('EdDSA');
          const forged = await new SignJWT({ txn: 't', scope: 'name', tctx: {}, rctx: { client_id: 'x' } })
            .setProtectedHeader({ alg: 'EdDSA', typ: 'txntoken+jwt', kid: crypto.randomUUID() })
            .setIssuer(gateway.url)
            .setAudience('people')
            .setSubject('s')
            .setIssuedAt()
            .setExpirationTime('15s')
            .sign(privateKey);
          const answer = await ask(subgraph.url, '{ me { name } }', { headers: { 'txn-token': forged } });
          expect(codes(answer)).toEqual(['UNAUTHORIZED_FIELD_OR_TYPE']);
        }),
      );
    }
    const seconds = Math.ceil((Date.now() - startedAtMs) / 1_000);
    expect(fetches()).toBeGreaterThan(0);
    expect(fetches()).toBeLessThanOrEqual(seconds + 1);
  });
});
