import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';

import { sql } from 'kysely';
import { until } from '../support/wait.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  startExampleSubgraph,
  startExampleSubgraphs,
  SUBGRAPH_NAMES,
  type SubgraphName,
} from '../../subgraphs/bank/start-subgraphs.js';
import { rawRequest, type RawRequest } from '../authority/raw-request.js';
import { BROKEN_UTF8, expectHeadLikeGet } from '../gateway/endpoints/hostile-requests.js';
import { codes, send } from '../gateway/support.js';
import type { AuthoritySchema } from '@behalf/authority/consent';
import { needsConsents } from '@behalf/authority/internal';
import { createAuthorityDatabase } from '../support/authority-database.js';
import type { TestDatabase } from '../support/database.js';
import { expectNotReady, expectReady } from '../support/health.js';
import { createTestGateway } from './support/gateway.js';
import { projectPath } from '@behalf/example/internal';

const ANY_PORTS = { customers: 0, accounts: 0, payments: 0, consent: 0 };

let database: TestDatabase<AuthoritySchema>;
beforeAll(async () => {
  database = await createAuthorityDatabase();
});
afterAll(async () => {
  await database.drop();
});

async function start(ports: typeof ANY_PORTS) {
  const { trust } = await createTestGateway();
  return startExampleSubgraphs({
    databaseUrl: database.url,
    gateway: trust,
    pseudonymKey: new Uint8Array(32),
    host: '127.0.0.1',
    ports,
  });
}

describe('the servers', () => {
  it('close despite clients’ open connections', async () => {
    const running = await start(ANY_PORTS);
    const agent = new Agent({ keepAlive: true });
    const call = request(running.urls.customers, {
      agent,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    call.end('{"query":"{ __typename }"}');
    const [response] = (await once(call, 'response')) as [NodeJS.ReadableStream];
    response.resume();
    await once(response, 'end');
    const idle = Object.values(agent.freeSockets).flatMap((sockets) => sockets ?? []);
    expect(idle).toHaveLength(1);
    const ended = Promise.all(idle.map((socket) => once(socket, 'close')));
    await running.close();
    // The server closed it: the agent would keep it.
    await ended;
    agent.destroy();
  });

  it('take a target in absolute form for the path in it, and refuse what is not UTF-8', async () => {
    const running = await start(ANY_PORTS);
    const at = running.urls.consent;
    const ask = (request: Omit<RawRequest, 'headers'>) =>
      rawRequest(at, { ...request, headers: { 'content-type': 'application/json' } });
    const target = 'http://elsewhere.example';
    expect((await ask({ target: `${target}/health/live` })).status).toBe(200);
    expect((await ask({ target: `${target}/other` })).status).toBe(404);
    for (const root of [`${target}/`, target])
      expect(
        (await ask({ target: root, method: 'POST', body: '{"query":"{ __typename }"}' })).text,
      ).toContain('{"data":{"__typename":"Query"}');
    expect((await ask({ target: '/?query={__typename}%FF' })).status).toBe(400);
    expect((await send(at, BROKEN_UTF8, { 'content-type': 'application/json' })).status).toBe(400);
    await running.close();
  });

  it('report a taken port, and leave none open', async () => {
    const other = createServer();
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    await expect(start({ ...ANY_PORTS, payments: port })).rejects.toThrow(
      `Subgraph payments cannot listen on 127.0.0.1, port ${port}: the port is taken`,
    );
    other.close();
  });

  it('need a key for pseudonyms', async () => {
    const { trust } = await createTestGateway();
    const options = {
      databaseUrl: database.url,
      gateway: trust,
      pseudonymKey: new Uint8Array(8),
      host: '127.0.0.1',
      ports: ANY_PORTS,
    };
    await expect(startExampleSubgraphs(options)).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
  });
});

describe('each server', () => {
  let running: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => {
    running = await start(ANY_PORTS);
  });
  afterAll(() => running.close());
  const url = (name: SubgraphName, path: string): string => `${running.urls[name]}${path}`;
  const json = { 'content-type': 'application/json' };

  it.each(SUBGRAPH_NAMES)('of %s tells life and readiness apart', async (name) => {
    await expectReady(running.urls[name]);
    for (const path of ['/health/live', '/health/ready', '/health']) await expectHeadLikeGet(url(name, path));
    const refused = await send(url(name, '/health/ready'), '', {}, 'POST');
    expect([refused.status, refused.headers.allow]).toEqual([405, 'GET, HEAD']);
    expect(refused.body).toMatchObject({ error: 'METHOD_NOT_ALLOWED' });
  });

  it.each(SUBGRAPH_NAMES)('of %s is not ready while its database does not answer', async (name) => {
    await database.setReachable(false);
    await expectNotReady(running.urls[name], 'DATABASE_UNREACHABLE');
    await database.setReachable(true);
    await expectReady(running.urls[name]);
  });

  it('of consent is ready while its database is a standby, from which it reads', async () => {
    await database.setReadOnly(true);
    await needsConsents(database.db);
    await database.setReadOnly(false);
  });

  it('of consent is not ready while the consents are missing', async () => {
    // A connection that an earlier test ended may still be in the pool.
    const answers = (): Promise<boolean> =>
      sql`select`.execute(database.db).then(
        () => true,
        () => false,
      );
    await until(answers, 'the database answers');
    await sql`alter table authority.consent rename to away`.execute(database.db);
    await expectNotReady(running.urls.consent, 'DATABASE_UNREACHABLE');
    await sql`alter table authority.away rename to consent`.execute(database.db);
    await expectReady(running.urls.consent);
  });

  it('answers HEAD as GET, without the body', async () => {
    const preflighted = { 'apollo-require-preflight': 'true' };
    await expectHeadLikeGet(url('accounts', '/?query={accountProducts}'), preflighted);
    await expectHeadLikeGet(url('accounts', '/?query={nothing}'), preflighted);
  });

  it.each([
    ['another address', '/graphql', '{}', json, 'POST', 404, 'NOT_FOUND'],
    ['another address, by HEAD', '/graphql', '', {}, 'HEAD', 404, undefined],
    ['an address of no form', '//', '', {}, 'GET', 404, 'NOT_FOUND'],
  ])('refuses %s', async (_what, path, body, headers, method, status, code) => {
    const answer = await send(url('consent', path), body, headers, method);
    expect(answer.status).toBe(status);
    if (code !== undefined) expect(answer.body).toMatchObject({ error: code });
  });

  it.each([
    ['broken JSON', '{"query":', json, 'POST', 400, 'BAD_REQUEST'],
    ['an empty body', '', json, 'POST', 400, 'BAD_REQUEST'],
    ['an oversize body', ' '.repeat(1_048_577), json, 'POST', 413, 'BODY_TOO_LARGE'],
    ['JSON that is no operation', '[1]', json, 'POST', 400, 'BAD_REQUEST'],
    ['no query', '{}', json, 'POST', 400, 'BAD_REQUEST'],
    ['another method', '', {}, 'PUT', 405, 'METHOD_NOT_ALLOWED'],
    ['a query that does not parse', '{"query":"{"}', json, 'POST', 400, 'GRAPHQL_PARSE_FAILED'],
  ])('refuses %s in GraphQL’s form', async (_what, body, headers, method, status, code) => {
    for (const name of SUBGRAPH_NAMES) {
      const answer = await send(url(name, '/'), body, headers, method);
      expect([name, answer.status, codes(answer)]).toEqual([name, status, [code]]);
      expect(answer.body.errors?.[0]?.message).toMatch(/\w/);
    }
  });
});

it.each(SUBGRAPH_NAMES)('%s is first not ready at its end, then closed', async (name) => {
  const { trust } = await createTestGateway();
  const subgraph = await startExampleSubgraph(name, {
    databaseUrl: database.url,
    gateway: trust,
    pseudonymKey: new Uint8Array(32),
    host: '127.0.0.1',
    port: 0,
    shutdown: { notReadyMs: 600_000 },
  });
  const drained = subgraph.drain();
  await expectNotReady(subgraph.url, 'DRAINING');
  expect(
    (await send(subgraph.url, '{"query":"{ __typename }"}', { 'content-type': 'application/json' })).status,
  ).toBe(200);
  await Promise.all([subgraph.close(), drained]);
  await expect(fetch(subgraph.url)).rejects.toThrow('fetch failed');
});

it('run a subgraph as its own process, which stops on a signal', async () => {
  const child = spawn(process.execPath, [projectPath('subgraphs', 'bank', 'dist', 'accounts', 'main.js')], {
    env: {
      ...process.env,
      DATABASE_URL: database.url,
      GATEWAY_ISSUER: 'http://127.0.0.1:4000',
      PSEUDONYM_KEY: Buffer.alloc(32, 1).toString('base64url'),
      PORT: '0',
      NOT_READY_MS: '0',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const url = /^accounts: (\S+)$/m.exec(line.toString())?.[1] ?? '';
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ accountProducts }' }),
    });
    expect(await response.json()).toMatchObject({
      data: { accountProducts: ['CURRENT', 'SAVINGS', 'SHARED'] },
    });
  } finally {
    child.kill('SIGTERM');
  }
  const [code] = (await once(child, 'exit')) as [number | null];
  expect(code).toBe(0);
});
