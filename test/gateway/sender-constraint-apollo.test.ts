import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MemoryProofReplayStore, protectGateway } from '../../gateway/index.js';
import type {
  IncomingRequest,
  ProtectedGateway,
  ProtectionOptions,
  ProofReplayStore,
} from '../../gateway/index.js';
import { makeCertificate } from './certificates.js';
import { Prover } from './dpop.js';
import {
  ask,
  AUDIENCE,
  Cleanup,
  codes,
  compose,
  send,
  TestIssuer,
  TestLog,
  TestSubgraph,
} from './support.js';
import type { Answer, Asking } from './support.js';

const READ = '{ me { id name } }';
const READ_DATA = { me: { id: 'c-000001', name: 'Name of c-000001' } };
const EXTERNAL = 'https://api.bank.example';
const cleanup = new Cleanup();
let issuer: TestIssuer;
let people: TestSubgraph;
let supergraph: string;
let prover: Prover;
let token: string;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  supergraph = compose(people);
  prover = await Prover.create();
  token = await issuer.mint({ scope: 'name', cnf: prover.cnf });
});
afterAll(() => cleanup.run());
beforeEach(() => {
  people.requests.length = 0;
});

interface Started {
  readonly gateway: ProtectedGateway;
  readonly url: string;
  readonly log: TestLog;
  ask(query: string, asking?: Asking): Promise<Answer>;
}

function options(more: Partial<ProtectionOptions> = {}): ProtectionOptions {
  return {
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    propagation: { issuer: 'https://gateway.example' },
    ...more,
  };
}

/** A team's Apollo Server that gives the gateway the request details in `facts` beside the two headers. */
async function start(more: Partial<ProtectionOptions>, facts?: Partial<IncomingRequest>): Promise<Started> {
  const log = new TestLog();
  const gateway = protectGateway({ supergraphSdl: supergraph }, options({ log, ...more }));
  const apollo = new ApolloServer({
    gateway,
    stopOnTerminationSignals: false,
    allowBatchedHttpRequests: true,
  });
  const { url } = await startStandaloneServer(apollo, {
    listen: { port: 0, host: '127.0.0.1' },
    ...(facts === undefined
      ? {}
      : {
          context: ({ req }) =>
            gateway.context({
              authorization: req.headersDistinct.authorization ?? [],
              dpop: req.headersDistinct.dpop ?? [],
              method: req.method,
              url: `${EXTERNAL}${req.url}`,
              ...facts,
            }),
        }),
  });
  cleanup.add(() => apollo.stop());
  return { gateway, url, log, ask: (query, asking) => ask(url, query, asking) };
}

const proof = (more: Readonly<Record<string, unknown>> = {}) =>
  prover.show(`${EXTERNAL}/`, token, { claims: more });

function expectRefused(answer: Answer, code: string, reason: string, { log }: Started): void {
  expect(answer.status).toBe(401);
  expect(codes(answer)).toEqual([code]);
  expect(people.requests).toEqual([]);
  expect(log.of('AUTHENTICATION_FAILED').at(-1)?.reason).toBe(reason);
}

describe('around an existing Apollo Server', () => {
  it('a bound token is accepted with its proof, once', async () => {
    const server = await start({}, {});
    const shown = await proof();
    expect((await server.ask(READ, shown)).body).toEqual({ data: READ_DATA });
    people.requests.length = 0;
    expectRefused(await server.ask(READ, shown), 'INVALID_DPOP_PROOF', 'PROOF_REPLAYED', server);
  });

  it('a batch is one request with one proof', async () => {
    const server = await start({}, {});
    const answer = await send(server.url, JSON.stringify([{ query: READ }, { query: READ }]), {
      'content-type': 'application/json',
      ...(await proof()).headers,
    });
    expect(answer.body).toEqual([{ data: READ_DATA }, { data: READ_DATA }]);
  });

  it('a bound token is refused without the request details', async () => {
    // In the one-line setup, the executor sees only the Authorization header.
    const bare = await start({});
    expectRefused(await bare.ask(READ, await proof()), 'INVALID_DPOP_PROOF', 'PROOF_MISSING', bare);
    expectRefused(await bare.ask(READ, { token }), 'INVALID_TOKEN', 'DPOP_DOWNGRADE', bare);
    const certificate = await makeCertificate('client');
    const bound = await issuer.mint({ scope: 'name', cnf: { 'x5t#S256': certificate.thumbprint } });
    expectRefused(await bare.ask(READ, { token: bound }), 'INVALID_TOKEN', 'CERTIFICATE_MISSING', bare);
    const unbound = await issuer.mint({ scope: 'name' });
    expect((await bare.ask(READ, { token: unbound })).body).toEqual({ data: READ_DATA });

    people.requests.length = 0;
    for (const [facts, reason] of [
      [{ dpop: undefined }, 'PROOF_MISSING'],
      [{ method: undefined }, 'PROOF_METHOD'],
      [{ url: undefined }, 'PROOF_TARGET'],
    ] as const) {
      const server = await start({}, facts);
      expectRefused(await server.ask(READ, await proof()), 'INVALID_DPOP_PROOF', reason, server);
    }
  });

  it('a certificate from the context counts, and none from a header', async () => {
    const certificate = await makeCertificate('client');
    const bound = await issuer.mint({ scope: 'name', cnf: { 'x5t#S256': certificate.thumbprint } });
    const told = await start({}, { clientCertificate: certificate.der });
    expect((await told.ask(READ, { token: bound })).body).toEqual({ data: READ_DATA });
    people.requests.length = 0;
    const untold = await start({}, {});
    const headers = { 'client-cert': `:${certificate.der.toString('base64')}:` };
    expectRefused(
      await untold.ask(READ, { token: bound, headers }),
      'INVALID_TOKEN',
      'CERTIFICATE_MISSING',
      untold,
    );
  });

  it('a nonce is requested, and renewed with the answer', async () => {
    const server = await start({ dpop: { nonce: 'required' } }, {});
    const asked = await server.ask(READ, await proof());
    expectRefused(asked, 'USE_DPOP_NONCE', 'NONCE_MISSING', server);
    const nonce = asked.headers['dpop-nonce'];
    expect((await server.ask(READ, await proof({ nonce }))).body).toEqual({ data: READ_DATA });
  });

  it('challenges name the team’s metadata only if given its address', async () => {
    const known = await start(
      { externalUrl: EXTERNAL, authorization: { anonymous: 'refuse' } },
      { url: `${EXTERNAL}/graphql` },
    );
    expect((await known.ask(READ)).headers['www-authenticate']).toContain(
      `resource_metadata="${EXTERNAL}/.well-known/oauth-protected-resource/graphql"`,
    );
    expect(known.gateway.resource?.metadata('/graphql')).toMatchObject({
      resource: `${EXTERNAL}/graphql`,
      authorization_servers: [issuer.url],
    });
    const unknown = await start({ authorization: { anonymous: 'refuse' } }, {});
    expect((await unknown.ask(READ)).headers['www-authenticate']).not.toContain('resource_metadata');
    expect(unknown.gateway.resource).toBeUndefined();
    // Another party's address is not used, whatever source the team takes it from.
    const elsewhere = await start(
      { externalUrl: EXTERNAL, authorization: { anonymous: 'refuse' } },
      { url: `${EXTERNAL}.evil.example/graphql` },
    );
    expect((await elsewhere.ask(READ)).headers['www-authenticate']).toContain(
      `resource_metadata="${EXTERNAL}/.well-known/oauth-protected-resource"`,
    );
  });
});

describe('a custom store', () => {
  const storeOf = (claim: () => unknown): ProofReplayStore => ({
    knowsSinceSeconds: 0,
    claim: async () => claim() as boolean,
    close: async () => undefined,
  });

  it('permits with exactly true only; a failure refuses with 503', async () => {
    for (const answer of [false, undefined, null, 1, 'true', {}]) {
      const server = await start({ dpop: { replay: storeOf(() => answer) } }, {});
      expectRefused(await server.ask(READ, await proof()), 'INVALID_DPOP_PROOF', 'PROOF_REPLAYED', server);
    }
    const failing = storeOf(() => {
      throw new Error('what it says may quote anything');
    });
    const server = await start({ dpop: { replay: failing } }, {});
    const answer = await server.ask(READ, await proof());
    expect(answer.status).toBe(503);
    expect(codes(answer)).toEqual(['REPLAY_STORE_UNAVAILABLE']);
    expect(answer.text).not.toContain('quote');
    expect(people.requests).toEqual([]);
  });

  it('can be shared by gateways of one process', async () => {
    const replay = new MemoryProofReplayStore();
    const [one, another] = [await start({ dpop: { replay } }, {}), await start({ dpop: { replay } }, {})];
    const shown = await proof();
    expect((await one.ask(READ, shown)).status).toBe(200);
    people.requests.length = 0;
    expectRefused(await another.ask(READ, shown), 'INVALID_DPOP_PROOF', 'PROOF_REPLAYED', another);
  });
});

describe('contradictory options are refused', () => {
  it.each<[string, ProtectionOptions['dpop']]>([
    ['dpop.algorithms', { algorithms: ['HS256'] }],
    ['dpop.algorithms', { algorithms: ['ES256', 'none'] }],
    ['dpop.algorithms', { algorithms: [] }],
    ['dpop.required', { required: ['https://other.example'] }],
    ['dpop.nonceKey', { nonce: 'required', nonceKey: new Uint8Array(31) }],
    ['dpop.proofLifetimeSeconds', { proofLifetimeSeconds: 0 }],
    ['dpop.proofLifetimeSeconds', { proofLifetimeSeconds: Number.NaN }],
    ['dpop.proofLifetimeSeconds', { proofLifetimeSeconds: 301 }],
  ])('%s: %j', (path, dpop) => {
    const make = (): unknown => protectGateway({ supergraphSdl: supergraph }, options({ dpop: dpop ?? {} }));
    expect(make).toThrow(path);
  });
});
