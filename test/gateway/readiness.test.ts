import { generateKeyPairSync } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditSink } from '@behalf/audit';
import { PostgresAuditSink } from '@behalf/audit/postgres';
import { PostgresProofReplayStore, protectGateway, silentLog } from '../../gateway/index.js';
import type { GatewayConfig } from '../../gateway/index.js';
import { answerStartingHealth } from '../../gateway/routes.js';
import { createRoledDatabase } from '../support/gateway-roles.js';
import type { RoledDatabase } from '../support/gateway-roles.js';
import {
  ask,
  AUDIENCE,
  Cleanup,
  compose,
  freePort,
  listen,
  send,
  sendJson,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
  until,
} from './support.js';
import type { Answer, TestGateway } from './support.js';

const cleanup = new Cleanup();
let issuer: TestIssuer;
let people: TestSubgraph;
let supergraph: string;
let roles: RoledDatabase;
/** PostgreSQL that nobody runs. */
let deadDatabase: string;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  supergraph = compose(people);
  roles = await createRoledDatabase();
  cleanup.add(() => roles.drop());
  deadDatabase = `postgres://behalf@127.0.0.1:${await freePort()}/behalf`;
});
afterAll(() => cleanup.run());

const get = (url: string, path: string): Promise<Answer> => send(`${url}${path}`, '', {}, 'GET');
/** RFC 7517 appendix A.1. */
const EC_KEY = {
  kty: 'EC',
  crv: 'P-256',
  x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
  y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
};
const PSEUDONYM_KEY = Buffer.alloc(32, 7).toString('base64url');
type Issuer = GatewayConfig['issuers'][number];
type Config = Omit<Partial<GatewayConfig>, 'issuers'> & Partial<Pick<GatewayConfig, 'issuers'>>;

function start(config: Config = {}): Promise<TestGateway> {
  const issuers = [{ issuer: issuer.url, audience: AUDIENCE }];
  return startTestGateway(cleanup, supergraph, { issuers, ...config });
}

async function failingIssuer(): Promise<TestIssuer> {
  const failing = await TestIssuer.start();
  cleanup.add(() => failing.close());
  failing.mode = 'error';
  return failing;
}

const sayInactive: RequestListener = (_request, response) => sendJson(response, 200, { active: false });

/** An issuer without keys, whose introspection endpoint answers like this. */
async function introspecting(endpoint: RequestListener | 'nobody', of?: TestIssuer): Promise<Issuer> {
  const failing = of ?? (await failingIssuer());
  let url = `http://127.0.0.1:${await freePort()}`;
  if (endpoint !== 'nobody') {
    const server = await listen(endpoint);
    cleanup.add(() => server.close());
    ({ url } = server);
  }
  const introspection = { endpoint: `${url}/introspect`, clientId: 'gateway', clientSecret: 's' };
  return { issuer: failing.url, audience: AUDIENCE, introspection };
}

async function expectNotReady(gateway: TestGateway, ...codes: readonly string[]): Promise<void> {
  for (const path of ['/health/ready', '/health']) {
    const answer = await get(gateway.url, path);
    expect(answer.status).toBe(503);
    expect(answer.body).toEqual({ status: 'unavailable', notReady: codes });
    expect(answer.headers).toMatchObject({ 'retry-after': '1', 'cache-control': 'no-store' });
  }
  expect((await get(gateway.url, '/health/live')).status).toBe(200);
}

async function expectReady(gateway: TestGateway): Promise<void> {
  for (const path of ['/health/ready', '/health', '/health/live']) {
    const answer = await get(gateway.url, path);
    expect([path, answer.status, answer.body]).toEqual([path, 200, { status: 'ok' }]);
  }
}

describe('a gateway is ready', () => {
  it('if it depends on nothing that is down', async () => {
    await expectReady(await start());
  });

  it('if the database of best-effort records is down', async () => {
    const audit = { mode: 'best-effort', database: deadDatabase, pseudonymKey: PSEUDONYM_KEY } as const;
    await expectReady(await start({ audit }));
  });

  it('if the keys of one issuer are available', async () => {
    const failing = await failingIssuer();
    const gateway = await start({
      issuers: [
        { issuer: failing.url, audience: AUDIENCE, namespace: 'failing' },
        { issuer: issuer.url, audience: AUDIENCE },
      ],
    });
    await expectReady(gateway);
  });

  it('if an issuer introspects, which may have no keys', async () => {
    const gateway = await start({ issuers: [await introspecting(sayInactive)] });
    await expectReady(gateway);
    for (const code of ['ISSUER_KEYS_UNAVAILABLE', 'TOKEN_INTROSPECTION_UNAVAILABLE'] as const)
      expect(gateway.log.of(code)).toEqual([]);
  });

  it('if an issuer that introspects does not answer, and its keys are available', async () => {
    await expectReady(await start({ issuers: [await introspecting('nobody', issuer)] }));
  });

  it('if an issuer that introspects does not answer, and another one has keys', async () => {
    const other = { issuer: issuer.url, audience: AUDIENCE, namespace: 'other' };
    await expectReady(await start({ issuers: [await introspecting('nobody'), other] }));
  });

  it('if the store of used proofs is down, and tokens need none', async () => {
    await expectReady(await start({ dpop: { replay: 'database', database: deadDatabase } }));
  });

  it('with working databases, by the rights of its roles', async () => {
    const gateway = await start({
      audit: { mode: 'required', database: roles.writer.url, pseudonymKey: PSEUDONYM_KEY },
      dpop: { required: true, replay: 'database', database: roles.replay.url },
    });
    await expectReady(gateway);
  });
});

describe('a gateway is not ready, and names', () => {
  it('the keys, if those of no issuer are available; the log has the reason', async () => {
    const failing = await failingIssuer();
    const gateway = await start({ issuers: [{ issuer: failing.url, audience: AUDIENCE }] });
    await expectNotReady(gateway, 'ISSUER_KEYS_UNAVAILABLE');
    expect(gateway.log.of('ISSUER_KEYS_UNAVAILABLE')).toMatchObject([
      { issuer: failing.url, reason: 'ANSWER' },
    ]);
  });

  it.each<[string, RequestListener | 'nobody', string]>([
    ['is down', 'nobody', 'NETWORK'],
    ['fails', (_request, response) => response.writeHead(500).end(), 'OAUTH_RESPONSE_IS_NOT_CONFORM'],
    [
      'refuses the gateway',
      (_request, response) => sendJson(response, 401, { error: 'invalid_client' }),
      'OAUTH_RESPONSE_BODY_ERROR',
    ],
    [
      'answers with a page',
      (_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
      'OAUTH_RESPONSE_IS_NOT_JSON',
    ],
    ['hangs up', (request) => request.socket.destroy(), 'NETWORK'],
  ])('the keys, if the only issuer has none, and its introspection %s', async (_what, endpoint, reason) => {
    const failing = await failingIssuer();
    const only = await introspecting(endpoint, failing);
    const gateway = await start({ issuers: [only], authorization: { anonymous: 'refuse' } });
    for (const token of ['opaque', await failing.mint(), undefined]) {
      const { status } = await gateway.ask('{ hello }', { ...(token !== undefined && { token }) });
      expect(status).toBe(token === undefined ? 401 : 503);
    }
    await expectNotReady(gateway, 'ISSUER_KEYS_UNAVAILABLE');
    expect(gateway.log.of('ISSUER_KEYS_UNAVAILABLE')).toMatchObject([{ issuer: only.issuer }]);
    expect(gateway.log.of('TOKEN_INTROSPECTION_UNAVAILABLE')).toEqual([
      { issuer: only.issuer, reason, count: 1, option: 'issuers[0].introspection.endpoint' },
    ]);
  });

  it('the keys, if the only issuer has withdrawn all of them', async () => {
    const empty = await TestIssuer.start();
    cleanup.add(() => empty.close());
    empty.keys = [];
    await expectNotReady(
      await start({ issuers: [{ issuer: empty.url, audience: AUDIENCE }] }),
      'ISSUER_KEYS_UNAVAILABLE',
    );
  });

  it.each<[string, object[]]>([
    ['encrypts', [{ ...EC_KEY, use: 'enc' }]],
    ['only signs', [{ ...EC_KEY, key_ops: ['sign'] }]],
    ['is for another algorithm', [{ ...EC_KEY, alg: 'ES512' }]],
    ['is not on its curve', [{ ...EC_KEY, y: EC_KEY.x }]],
    ['is secret', [{ kty: 'oct', k: 'AAAA' }]],
    ['nobody knows', [{ kty: 'AKP', alg: 'ML-DSA-44', pub: 'AAAA' }, { kty: 'new' }]],
    [
      'is too short',
      [generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })],
    ],
    ['is empty', [{}]],
  ])('the keys, if the only one %s', async (_what, keys) => {
    const unusable = await TestIssuer.start();
    cleanup.add(() => unusable.close());
    const [key] = unusable.keys;
    if (key === undefined) throw new Error('no key');
    unusable.keys = keys.map((publicJwk) => ({ ...key, publicJwk }));
    const gateway = await start({ issuers: [{ issuer: unusable.url, audience: AUDIENCE }] });
    await expectNotReady(gateway, 'ISSUER_KEYS_UNAVAILABLE');
  });

  it('the keys, if they are for algorithms that are not permitted', async () => {
    const only = { issuer: issuer.url, audience: AUDIENCE, algorithms: ['EdDSA'] };
    await expectNotReady(await start({ issuers: [only] }), 'ISSUER_KEYS_UNAVAILABLE');
    await expectReady(await start({ issuers: [{ ...only, algorithms: ['EdDSA', 'ES256'] }] }));
  });

  it('the revocation view, if it is not fresh', async () => {
    const revocation = { streams: [{ issuer: issuer.url, secret: 'distinctive' }] };
    await expectNotReady(await start({ revocation }), 'REVOCATION_STATE_STALE');
  });

  it('the audit, if its database is down and records are required', async () => {
    const audit = { mode: 'required', database: deadDatabase, pseudonymKey: PSEUDONYM_KEY } as const;
    await expectNotReady(await start({ audit }), 'AUDIT_UNAVAILABLE');
  });

  it('the store of used proofs, if every token needs it', async () => {
    const dpop = { required: true, replay: 'database', database: deadDatabase } as const;
    await expectNotReady(await start({ dpop }), 'REPLAY_STORE_UNAVAILABLE');
  });

  it('everything that is missing, in one order', async () => {
    const failing = await failingIssuer();
    const gateway = await start({
      issuers: [{ issuer: failing.url, audience: AUDIENCE }],
      revocation: { streams: [{ issuer: failing.url, secret: 'distinctive' }] },
      audit: { mode: 'required', database: deadDatabase, pseudonymKey: PSEUDONYM_KEY },
    });
    await expectNotReady(gateway, 'REVOCATION_STATE_STALE', 'ISSUER_KEYS_UNAVAILABLE', 'AUDIT_UNAVAILABLE');
  });

  it('its own supergraph and key before it is started, and after it has stopped', async () => {
    const gateway = protectGateway(
      { supergraphSdl: supergraph },
      {
        issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
        propagation: { issuer: 'https://gateway.example' },
        log: silentLog,
      },
    );
    expect(await gateway.notReady()).toEqual(['SUPERGRAPH_MISSING', 'SIGNING_KEY_MISSING']);
    await gateway.stop();
  });
});

describe('a sink', () => {
  const withSink = (sink: AuditSink): ReturnType<typeof protectGateway> =>
    protectGateway(
      { supergraphSdl: supergraph },
      {
        issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
        propagation: { issuer: 'https://gateway.example' },
        audit: { mode: 'required', sink },
        log: silentLog,
      },
    );
  const sink = { lost: 0, append: async () => undefined, close: async () => undefined };

  it('of your own says by its check whether it is able', async () => {
    const able = withSink({ ...sink, check: async () => undefined });
    const unable = withSink({ ...sink, check: () => Promise.reject(new Error('the disk is full')) });
    const silent = withSink(sink);
    expect(await able.notReady()).not.toContain('AUDIT_UNAVAILABLE');
    expect(await unable.notReady()).toContain('AUDIT_UNAVAILABLE');
    expect(await silent.notReady()).not.toContain('AUDIT_UNAVAILABLE');
    for (const each of [able, unable, silent]) await each.stop();
  });

  it('and a store check with the rights of their roles, and tell what is missing', async () => {
    const audit = new PostgresAuditSink({ databaseUrl: roles.writer.url });
    const replay = new PostgresProofReplayStore({ databaseUrl: roles.replay.url });
    const wrongRole = new PostgresAuditSink({ databaseUrl: roles.replay.url });
    await expect(audit.check()).resolves.toBeUndefined();
    await expect(replay.check()).resolves.toBeUndefined();
    await expect(wrongRole.check()).rejects.toThrow();
    for (const each of [audit, replay, wrongRole]) await each.close();
  });
});

it('a gateway that is not complete yet is live, and not ready', async () => {
  const server = await listen((request, response) => {
    if (!answerStartingHealth(request, response)) response.writeHead(404).end();
  });
  cleanup.add(() => server.close());
  expect((await get(server.url, '/health/live')).status).toBe(200);
  const ready = await get(server.url, '/health/ready');
  expect([ready.status, ready.body]).toEqual([503, { status: 'unavailable', notReady: ['STARTING'] }]);
  expect((await get(server.url, '/graphql')).status).toBe(404);
});

describe('the end of a gateway', () => {
  /** A subgraph's answer that the test gives when it wants to. */
  function holdAnswers(): () => void {
    const held: (() => void)[] = [];
    people.instead = (_request, response) => {
      held.push(() => {
        response.setHeader('content-type', 'application/json');
        response.end('{"data":{"hello":"held"}}');
      });
    };
    return () => {
      people.instead = undefined;
      for (const answer of held) answer();
    };
  }

  it('is first announced, then refuses connections, and finishes what is in flight', async () => {
    const gateway = await start({ shutdown: { notReadyMs: 600_000 } });
    const drained = gateway.running.drain();
    await expectNotReady(gateway, 'DRAINING');
    expect((await gateway.ask('{ hello }')).body.data).toEqual({ hello: 'hello world' });

    const release = holdAnswers();
    people.requests.length = 0;
    const inFlight = gateway.ask('{ hello }');
    await until(() => people.requests.length === 1, 'the request is in flight');
    const closed = gateway.running.close();
    await expect(ask(`${gateway.url}/graphql`, '{ hello }')).rejects.toThrow('ECONNREFUSED');
    release();
    expect((await inFlight).body.data).toEqual({ hello: 'held' });
    await Promise.all([closed, drained]);
  });

  it('cuts off what takes longer than configured', async () => {
    const gateway = await start({ shutdown: { drainMs: 1 } });
    const release = holdAnswers();
    people.requests.length = 0;
    const inFlight = gateway.ask('{ hello }');
    const cut = inFlight.catch((error: unknown) => String(error));
    await until(() => people.requests.length === 1, 'the request is in flight');
    await gateway.running.close();
    expect(await cut).toMatch(/socket hang up|ECONNRESET/);
    release();
  });
});
