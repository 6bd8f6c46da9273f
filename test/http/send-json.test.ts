import { createServer } from 'node:http';
import { expect, it } from 'vitest';
import { Connections, listen, sendJson } from '../../http/index.js';

it('answers with JSON, and forbids browsers to guess another type', async () => {
  const server = createServer((_request, response) => {
    response.setHeader('allow', 'POST');
    sendJson(response, 405, { error: 'METHOD_NOT_ALLOWED' }, { 'cache-control': 'no-store' });
  });
  const connections = new Connections(server);
  const { origin } = await listen(server, '127.0.0.1', 0);
  const response = await fetch(origin);
  expect(response.status).toBe(405);
  expect(await response.json()).toEqual({ error: 'METHOD_NOT_ALLOWED' });
  expect(Object.fromEntries(response.headers)).toMatchObject({
    allow: 'POST',
    'cache-control': 'no-store',
    'content-type': 'application/json; charset=utf-8',
    'x-content-type-options': 'nosniff',
  });
  await connections.close({ requestGraceMs: 0, answerGraceMs: 0 });
});
