import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { pause } from '../support/wait.js';
import { application } from './oauth-setup.js';
import { startTestAuthority, type TestAuthority } from './setup.js';

// Requests that node:http ends itself, which it would answer without a body, and without what lets a page read the answer.

const APP = 'https://app.example';
const EXPOSED = 'DPoP-Nonce, WWW-Authenticate, Retry-After';
const LARGE = 'x'.repeat(20_000);

let authority: TestAuthority;
beforeAll(async () => {
  authority = await startTestAuthority({ clients: [{ ...application('spa', {}), origins: [APP] }] });
});
afterAll(() => authority.close());

/** Sends these bytes, one part after the other. */
async function raw(...parts: readonly string[]) {
  const { hostname, port } = new URL(authority.authority.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const closed = once(socket, 'close');
  for (const [index, part] of parts.entries()) {
    if (index > 0) await pause();
    socket.write(part);
  }
  await closed;
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const [line = '', ...fields] = head.split('\r\n');
  const headers = new Map(
    fields.map((field) => {
      const colon = field.indexOf(':');
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()] as const;
    }),
  );
  return { status: Number(line.split(' ')[1]), headers, body };
}

const head = (...lines: readonly string[]) => ['POST /token HTTP/1.1', ...lines, '', ''].join('\r\n');
const FORM = 'Content-Type: application/x-www-form-urlencoded';
const CHUNKED = `Transfer-Encoding: chunked\r\n${FORM}`;
const from = (origin: string) => ['Host: a', `Origin: ${origin}`];

const UNREADABLE: readonly (readonly [string, number, (origin: string) => readonly string[]])[] = [
  ['a DPoP proof of 20 KB', 431, (origin) => [head(...from(origin), `DPoP: ${LARGE}`)]],
  ['two lengths', 400, (origin) => [head(...from(origin), 'Content-Length: 1', 'Content-Length: 2')]],
  ['no number for a length', 400, (origin) => [head(...from(origin), 'Content-Length: x')]],
  ['a length and chunks', 400, (origin) => [head(...from(origin), 'Content-Length: 1', CHUNKED)]],
  ['a broken chunk', 400, (origin) => [`${head(...from(origin), CHUNKED)}zz\r\n`]],
  ['a broken chunk that comes later', 400, (origin) => [head(...from(origin), CHUNKED), 'zz\r\n']],
  [
    'large extensions of chunks',
    413,
    (origin) => [head(...from(origin), CHUNKED), `1;${'e'.repeat(17_000)}\r\n`],
  ],
  [
    'an unknown expectation',
    417,
    (origin) => [head(...from(origin), 'Expect: wonders', 'Connection: close')],
  ],
  ['no Host', 400, (origin) => [head(`Origin: ${origin}`, 'Content-Length: 0', 'Connection: close')]],
];

describe.each(UNREADABLE)('a request with %s', (_what, status, partsFrom) => {
  it('is refused in OAuth’s form, which a page of a client can read', async () => {
    const answer = await raw(...partsFrom(APP));
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toEqual({
      error: 'invalid_request',
      error_description: expect.stringMatching(/\w/) as string,
    });
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.headers.get('content-length')).toBe(String(Buffer.byteLength(answer.body)));
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('connection')).toBe('close');
    expect(answer.headers.get('access-control-allow-origin')).toBe(APP);
    expect(answer.headers.get('access-control-expose-headers')).toBe(EXPOSED);
    expect(answer.headers.get('vary')).toBe('Origin');
  });

  it.each(['https://evil.example', 'null', `${APP}\r\nOrigin: ${APP}`])(
    'cannot be read by a page of %j',
    async (origin) => {
      const answer = await raw(...partsFrom(origin));
      expect(answer.status).toBe(status);
      expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
      expect(answer.headers.get('vary')).toBe('Origin');
    },
  );
});

it('a refusal at an address that no page reads has none of the headers', async () => {
  const answer = await raw(`GET /auth HTTP/1.1\r\nHost: a\r\nOrigin: ${APP}\r\nX: ${LARGE}\r\n\r\n`);
  expect(answer.status).toBe(431);
  expect([...answer.headers.keys()]).not.toContain('access-control-allow-origin');
});

it('what is not HTTP is refused', async () => {
  const answer = await raw('hello\r\n\r\n');
  expect([answer.status, JSON.parse(answer.body)]).toEqual([
    400,
    { error: 'invalid_request', error_description: 'The request is not valid HTTP' },
  ]);
});

it('CONNECT is refused', async () => {
  const answer = await raw('CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n');
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
  expect(JSON.parse(answer.body)).toMatchObject({ error: 'METHOD_NOT_ALLOWED' });
});

it('while the store does not answer, it is refused without the headers', async () => {
  await authority.database.setReachable(false);
  // An origin of the options is known without the store.
  const answer = await raw(head(...from('https://unknown.example'), `DPoP: ${LARGE}`));
  await authority.database.setReachable(true);
  expect(answer.status).toBe(431);
  expect(answer.headers.has('access-control-allow-origin')).toBe(false);
});
