import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startExampleSubgraphs } from '../../subgraphs/bank/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { createTestGateway } from './support/gateway.js';
import { projectPath } from '@behalf/example/internal';

const ANY_PORTS = { customers: 0, accounts: 0, payments: 0, consent: 0 };

let database: TestDatabase<unknown>;
beforeAll(async () => {
  database = await createTestDatabase<unknown>();
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
    const started = performance.now();
    await running.close();
    expect(performance.now() - started).toBeLessThan(1_000);
    agent.destroy();
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
    await expect(startExampleSubgraphs(options)).rejects.toMatchObject({ code: 'MISSING_PSEUDONYM_KEY' });
  });
});

it('run a subgraph as its own process, which stops on a signal', async () => {
  const child = spawn(process.execPath, [projectPath('subgraphs', 'bank', 'dist', 'accounts', 'main.js')], {
    env: {
      ...process.env,
      DATABASE_URL: database.url,
      GATEWAY_ISSUER: 'http://127.0.0.1:4000',
      PSEUDONYM_KEY: Buffer.alloc(32, 1).toString('base64url'),
      PORT: '0',
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
    expect(await response.json()).toEqual({ data: { accountProducts: ['CURRENT', 'SAVINGS', 'SHARED'] } });
  } finally {
    child.kill('SIGTERM');
  }
  const [code] = (await once(child, 'exit')) as [number | null];
  expect(code).toBe(0);
});
