import { Agent, createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Connections, listen } from '../../http/index.js';
import { pause } from '../support/wait.js';

describe('Connections', () => {
  let server: Server;
  let connections: Connections;
  let port: number;
  let arrived: Promise<ServerResponse>;

  beforeEach(async () => {
    let settle: (response: ServerResponse) => void;
    arrived = new Promise((resolve) => (settle = resolve));
    server = createServer((_request, response) => settle(response));
    connections = new Connections(server);
    ({ port } = await listen(server, '127.0.0.1', 0));
  });

  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });

  const ask = (agent = new Agent({ keepAlive: true })): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      get({ port, agent, host: '127.0.0.1' }, resolve).on('error', reject);
    });

  it('finishes the answer in flight, and keeps its connection no longer', async () => {
    const answer = ask();
    const response = await arrived;
    const closed = connections.close();
    await pause();
    response.end('done');
    expect((await answer).headers.connection).toBe('close');
    (await answer).resume();
    await closed;
  });

  it('cuts an answer that takes longer than its grace', async () => {
    const answer = ask().catch((error: unknown) => (error as NodeJS.ErrnoException).code);
    await arrived;
    await connections.close({ answerGraceMs: 100 });
    expect(await answer).toBe('ECONNRESET');
  });

  it('does not wait for a request that never arrives completely (slowloris)', async () => {
    const socket = connect(port, '127.0.0.1', () => socket.write('POST / HTTP/1.1\r\nHost: a\r\n'));
    socket.on('error', () => undefined);
    await new Promise((resolve) => server.once('connection', resolve));
    await connections.close({ requestGraceMs: 100 });
  });

  it('cuts the incomplete request, and not the answer beside it', async () => {
    const answer = ask();
    const response = await arrived;
    const slow = connect(port, '127.0.0.1', () => slow.write('POST / HTTP/1.1\r\n'));
    slow.on('error', () => undefined);
    await new Promise((resolve) => server.once('connection', resolve));
    const cut = new Promise((resolve) => slow.once('close', resolve));
    const closed = connections.close({ requestGraceMs: 50 });
    await cut;
    response.end('done');
    expect((await answer).statusCode).toBe(200);
    (await answer).resume();
    await closed;
  });

  it('accepts no connection after the close', async () => {
    await connections.close();
    await expect(ask()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
