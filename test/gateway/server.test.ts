import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request as httpRequest } from 'node:http';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startGateway } from '../../gateway/index.js';
import type { GatewayConfig } from '../../gateway/index.js';
import {
  ask,
  AUDIENCE,
  bodyOf,
  Cleanup,
  codes,
  compose,
  freePort,
  send,
  sendJson,
  startTestGateway,
  TestIssuer,
  TestLog,
  TestSubgraph,
  until,
} from './support.js';
import type { TestGateway } from './support.js';
import { pause } from '../support/wait.js';

const cleanup = new Cleanup();
let issuer: TestIssuer;
let people: TestSubgraph;
let gateway: TestGateway;
let supergraph: string;
let folder: string;
const JSON_TYPE = { 'content-type': 'application/json' };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-server-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  supergraph = compose(people);
  gateway = await startTestGateway(cleanup, supergraph, config());
});
afterAll(() => cleanup.run());
beforeEach(() => {
  people.requests.length = 0;
  people.instead = undefined;
});

function config() {
  return { issuers: [{ issuer: issuer.url, audience: AUDIENCE }] };
}

describe('addresses', () => {
  it('unknown paths are 404, other methods 405', async () => {
    for (const path of ['/graphiql', '/.well-known', '/graphql/', '/%67raphql', '/health/x', '//graphql']) {
      expect((await send(`${gateway.url}${path}`, '{}', JSON_TYPE)).status).toBe(404);
    }
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const answer = await send(`${gateway.url}/graphql?query={hello}`, '', {}, method);
      expect(answer.status).toBe(405);
      expect(answer.headers.allow).toBe('POST');
    }
    expect((await send(`${gateway.url}/health`, '{}', JSON_TYPE)).status).toBe(405);
    expect(people.requests).toEqual([]);
  });
});

describe('bodies', () => {
  const url = (): string => `${gateway.url}/graphql`;

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'application/json-x',
    '',
  ])('of type "%s", which another site’s form can send, are refused (CSRF)', async (type) => {
    const answer = await send(
      url(),
      '{"query":"mutation { touch }"}',
      type === '' ? {} : { 'content-type': type },
    );
    expect([400, 415]).toContain(answer.status);
    expect(people.requests).toEqual([]);
  });

  it.each([
    '',
    'null',
    '"x"',
    '[]',
    '[{"query":"{ hello }"}]',
    '{"query":',
    '{"query":5}',
    '{}',
    '{"query":"{ hello"}',
  ])('that are not requests are 400: %s', async (body) => {
    const answer = await send(url(), body, JSON_TYPE);
    expect(answer.status).toBe(400);
    expect(people.requests).toEqual([]);
  });

  it('that are too large are 413, whether they declare it or not', async () => {
    const large = JSON.stringify({ query: '{ hello }', padding: 'x'.repeat(300 * 1024) });
    expect((await send(url(), large, JSON_TYPE)).status).toBe(413);
    expect((await send(url(), large, { ...JSON_TYPE, 'transfer-encoding': 'chunked' })).status).toBe(413);
    expect(people.requests).toEqual([]);
    const fits = JSON.stringify({ query: '{ hello }', padding: 'x'.repeat(250 * 1024) });
    expect((await send(url(), fits, JSON_TYPE)).body).toEqual({ data: { hello: 'hello world' } });
  });

  it('that break off harm nobody', async () => {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    socket.write(
      'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"q',
    );
    await pause();
    socket.destroy();
    expect((await gateway.ask('{ hello }')).status).toBe(200);
  });
});

describe('errors', () => {
  it('of validation do not name what the client may not see', async () => {
    const answer = await gateway.ask('{ me { emai } }');
    expect(answer.status).toBe(400);
    expect(answer.text).not.toContain('email');
  });

  it('that are unexpected reveal nothing', async () => {
    const failing = await startTestGateway(cleanup, supergraph, config());
    failing.running.gateway.authenticate = () => {
      throw new TypeError('distinctive at /home/distinctive');
    };
    const answer = await failing.ask('{ hello }');
    expect(answer.status).toBe(500);
    expect(answer.text).not.toMatch(/distinctive|TypeError|stack/);
    expect(codes(answer)).toEqual(['INTERNAL_SERVER_ERROR']);
  });

  it('never contain a stack', async () => {
    for (const query of ['{ nothing }', '{', '{ me { id fails } }']) {
      expect((await gateway.ask(query)).text).not.toMatch(/stacktrace|node_modules|\.js:/);
    }
  });
});

describe('the start', () => {
  async function refusedStart(more: Partial<GatewayConfig>): Promise<Error & { code?: string }> {
    const file = join(folder, 'supergraph.graphql');
    await writeFile(file, supergraph);
    try {
      const running = await startGateway({ supergraph: file, ...config(), ...more }, { log: new TestLog() });
      await running.close();
    } catch (error) {
      return error as Error;
    }
    throw new Error('it started');
  }

  const isFree = async (port: number): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('connect', () => {
        socket.destroy();
        resolve(false);
      });
      socket.on('error', () => resolve(true));
    });

  it('reports a taken port', async () => {
    const port = Number(new URL(gateway.url).port);
    const error = await refusedStart({ listen: { port } });
    expect(error).toMatchObject({ code: 'EADDRINUSE' });
    expect(error.message).toContain(String(port));
    expect((await gateway.ask('{ hello }')).status).toBe(200);
  });

  it.each<[string, () => Promise<Partial<GatewayConfig>>, RegExp]>([
    [
      'a missing supergraph',
      async () => ({ supergraph: join(folder, 'none') }),
      /supergraph: .*none.*ENOENT/,
    ],
    [
      'a supergraph that must not be served',
      async () => {
        const file = join(folder, 'bad.graphql');
        await writeFile(file, 'type Query { a: Int }');
        return { supergraph: file };
      },
      /not composed/,
    ],
    [
      'an invalid key file',
      async () => {
        const keyFile = join(folder, 'key');
        await writeFile(keyFile, 'distinctive');
        return { propagation: { keyFile } };
      },
      /^propagation\.keyFile: (?!.*distinctive)/,
    ],
    [
      'a key that signs nothing that subgraphs accept',
      async () => {
        const keyFile = join(folder, 'es256');
        const { privateKey } = await generateKeyPair('ES256', { extractable: true });
        await writeFile(keyFile, JSON.stringify(await exportJWK(privateKey)));
        return { propagation: { keyFile } };
      },
      /^propagation\.keyFile: /,
    ],
    [
      'a public key',
      async () => {
        const keyFile = join(folder, 'public');
        const { publicKey } = await generateKeyPair('EdDSA', { extractable: true });
        await writeFile(keyFile, JSON.stringify(await exportJWK(publicKey)));
        return { propagation: { keyFile } };
      },
      /^propagation\.keyFile: /,
    ],
    [
      'an audit file that cannot be opened',
      async () => ({ audit: { file: join(folder, 'no', 'such', 'folder') } }),
      /^audit\.file: /,
    ],
  ])('with %s fails with its key, and leaves nothing listening', async (_name, more, message) => {
    const port = await freePort();
    const error = await refusedStart({ listen: { port }, ...(await more()) });
    expect(error.message).toMatch(message);
    expect(await isFree(port)).toBe(true);
  });

  it('leaves no request unanswered', async () => {
    const file = join(folder, 'supergraph.graphql');
    await writeFile(file, supergraph);
    const port = await freePort();
    const starting = startGateway(
      { listen: { port }, supergraph: file, ...config() },
      { log: new TestLog() },
    );
    const statuses: number[] = [];
    const state = { isStarted: false };
    void starting.then(() => {
      state.isStarted = true;
    });
    while (!state.isStarted) {
      await ask(`http://127.0.0.1:${port}/graphql`, '{ hello }').then(
        ({ status }) => statuses.push(status),
        () => undefined,
      );
    }
    cleanup.add(() => starting.then((running) => running.close()));
    expect(new Set(statuses)).toEqual(
      new Set([...statuses].filter((status) => status === 503 || status === 200)),
    );
    expect((await ask(`http://127.0.0.1:${port}/graphql`, '{ hello }')).status).toBe(200);
  });
});

describe('the shutdown', () => {
  it('answers running requests, despite keep-alive, and accepts no more', async () => {
    const own = new Cleanup();
    const closing = await startTestGateway(own, supergraph, config());
    const agent = new Agent({ keepAlive: true });
    const post = (query: string) =>
      new Promise<{ status: number; text: string }>((resolve, reject) => {
        const request = httpRequest(
          `${closing.url}/graphql`,
          { method: 'POST', agent, headers: JSON_TYPE },
          (response) => {
            bodyOf(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
          },
        );
        request.on('error', reject);
        request.end(JSON.stringify({ query }));
      });
    await Promise.all([post('{ hello }'), post('{ hello }'), post('{ hello }')]);
    expect(Object.values(agent.freeSockets).flat()).toHaveLength(3);

    let held: ServerResponse | undefined;
    people.instead = (_request, response) => void (held = response);
    const underWay = post('{ hello }');
    await until(() => held !== undefined, 'the request is running');
    let isClosed = false;
    const closed = own.run().then(() => (isClosed = true));
    await pause();
    expect(isClosed).toBe(false);
    await expect(ask(`${closing.url}/graphql`, '{ hello }')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    if (held !== undefined) sendJson(held, 200, { data: { hello: 'late' } });
    expect(await underWay).toEqual({ status: 200, text: '{"data":{"hello":"late"}}\n' });
    await closed;
    // The client keeps its connections, so the server has closed them.
    await until(() => Object.values(agent.freeSockets).flat().length === 0, 'no connection is left');
    agent.destroy();
  });

  it('does not wait for a client that never finishes its request', async () => {
    const own = new Cleanup();
    const closing = await startTestGateway(own, supergraph, config());
    const socket = connect(Number(new URL(closing.url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
    );
    await pause();
    // Without a bound it would wait for as long as the client does, which is for ever.
    await own.run();
    socket.destroy();
  });
});

describe('reload', () => {
  it('reads the supergraph again, and refuses an unsafe one', async () => {
    const own = await startTestGateway(cleanup, supergraph, config());
    await own.update(supergraph.replaceAll('"email"', '"mail"'));
    await until(() => own.log.codes().includes('SUPERGRAPH_UPDATED'), 'updated');
    const token = await issuer.mint({ scope: 'mail' });
    expect((await own.ask('{ me { email } }', { token })).body.errors).toBeUndefined();
    await own.update('type Query { a: Int }');
    await until(() => own.log.codes().includes('SUPERGRAPH_REFUSED'), 'the supergraph is refused');
    expect((await own.ask('{ me { email } }', { token })).body.errors).toBeUndefined();
    await rm(own.supergraphFile);
    expect(await own.running.reload()).toBe(false);
    expect(own.log.of('SUPERGRAPH_REFUSED').at(-1)?.reason).toMatch(/supergraph: .*ENOENT/);
    expect((await own.ask('{ hello }')).status).toBe(200);
  });
});
