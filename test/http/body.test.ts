import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BodyError, listen, readBody } from '../../http/index.js';

const MAX_BYTES = 1_000;
const TIMEOUT_MS = 200;

describe('readBody', () => {
  let server: Server;
  let origin: string;
  let port: number;
  let outcome: Promise<string>;

  beforeEach(async () => {
    let settle: (text: string) => void;
    outcome = new Promise((resolve) => (settle = resolve));
    server = createServer((request, response) => {
      readBody(request, { maxBytes: MAX_BYTES, timeoutMs: TIMEOUT_MS }).then(
        (body) => {
          settle(body.toString());
          response.end(body);
        },
        (error: unknown) => {
          if (!(error instanceof BodyError)) throw error;
          settle(error.code);
          response.writeHead(error.status, { connection: 'close' }).end();
        },
      );
    });
    ({ origin, port } = await listen(server, '127.0.0.1', 0));
  });

  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });

  /** Sends these bytes and returns what arrives until the server closes. */
  function sendRaw(...parts: readonly string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      let answer = '';
      const socket = connect(port, '127.0.0.1', () => {
        for (const part of parts) socket.write(part);
      });
      socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
      socket.on('close', () => resolve(answer));
      socket.on('error', reject);
    });
  }

  const HEAD = 'POST / HTTP/1.1\r\nHost: behalf.example\r\n';

  it('reads a body of the largest size', async () => {
    const body = 'x'.repeat(MAX_BYTES);
    const response = await fetch(origin, { method: 'POST', body });
    expect(await response.text()).toBe(body);
  });

  it('reads an empty body', async () => {
    expect(await (await fetch(origin)).text()).toBe('');
  });

  it('refuses a stated length before the first byte arrives', async () => {
    const answer = await sendRaw(`${HEAD}Content-Length: ${MAX_BYTES + 1}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
  });

  it('refuses a chunked body at the byte that is too many', async () => {
    const chunk = `${(MAX_BYTES / 2).toString(16)}\r\n${'x'.repeat(MAX_BYTES / 2)}\r\n`;
    const answer = await sendRaw(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`, chunk, chunk, '1\r\nx\r\n');
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    expect(await outcome).toBe('BODY_TOO_LARGE');
  });

  it('refuses a body that trickles in (slowloris)', async () => {
    const answer = await sendRaw(`${HEAD}Content-Length: 10\r\n\r\n`, 'x');
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
    expect(await outcome).toBe('BODY_TIMEOUT');
  });

  it('gives up when the client goes away', async () => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`${HEAD}Content-Length: 10\r\n\r\nx`, () => socket.destroy());
    });
    expect(await outcome).toBe('BODY_ABORTED');
  });

  it('gives up when the client has already gone away', async () => {
    const late = createServer((request) => {
      request.once('close', () => {
        settle(readBody(request, { maxBytes: MAX_BYTES }));
      });
      // An unhandled error event would end the process.
      request.on('error', () => undefined);
      request.destroy();
    });
    let settle: (body: Promise<Buffer>) => void = () => undefined;
    const body = new Promise<Buffer>((resolve) => (settle = resolve));
    body.catch(() => undefined);
    const { origin: lateOrigin } = await listen(late, '127.0.0.1', 0);
    await fetch(lateOrigin, { method: 'POST', body: 'x' }).catch(() => undefined);
    await expect(body).rejects.toMatchObject({ code: 'BODY_ABORTED' });
    late.close();
  });
});
