import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { AddressList, Connections, listen, readBody } from '../../http/index.js';

const { NaN: notANumber, POSITIVE_INFINITY: infinite } = Number;
const wrongTimes: readonly unknown[] = ['5', -1, 1.5, notANumber, infinite, 2 ** 31, null];
const wrong = (key: string, values: readonly unknown[], more: object = {}): [string, unknown][] =>
  values.map((value) => [key, { ...more, [key]: value }]);
const refusal = { name: 'HttpOptionError', code: 'HTTP_OPTION_INVALID' };

it.each<[string, unknown]>([
  ...[undefined, null, 5, []].map((given): [string, unknown] => ['the options', given]),
  ...wrong('maxBytes', [undefined, null, '5', -1, 1.5, notANumber, infinite]),
  ...wrong('timeoutMs', [0, ...wrongTimes], { maxBytes: 5 }),
  ...wrong('maxByte', [5], { maxBytes: 5 }),
])('a body is not read within wrong limits: %s, %o', async (key, limits) => {
  const request = { headers: {} } as IncomingMessage;
  const attempt = readBody(request, limits as never);
  await expect(attempt).rejects.toMatchObject(refusal);
  await expect(attempt).rejects.toThrow(new RegExp(`^${key} `));
});

it.each<[string, unknown]>([
  ...[null, 5, [], new Map()].map((given): [string, unknown] => ['the options', given]),
  ...wrong('requestGraceMs', wrongTimes),
  ...wrong('answerGraceMs', wrongTimes),
  ...wrong('answerGrace', [5]),
])('connections are not closed by wrong options: %s, %o', async (key, options) => {
  const attempt = new Connections(createServer()).close(options as never);
  await expect(attempt).rejects.toMatchObject(refusal);
  await expect(attempt).rejects.toThrow(new RegExp(`^${key} `));
});

it.each<[string, unknown, unknown]>([
  ...[undefined, null, '', 5].map((host): [string, unknown, unknown] => ['host', host, 0]),
  ...[undefined, null, '0', -1, 1.5, 65_536, notANumber].map((port): [string, unknown, unknown] => [
    'port',
    '127.0.0.1',
    port,
  ]),
])('nothing listens on a wrong %s: %o, %o', async (key, host, port) => {
  const server = createServer();
  const attempt = listen(server, host as never, port as never);
  await expect(attempt).rejects.toMatchObject(refusal);
  await expect(attempt).rejects.toThrow(new RegExp(`^${key} `));
  expect(server.listening).toBe(false);
});

it.each([undefined, null, 5, {}, ['10.0.0.1']])('%o is not an address', (value) => {
  expect(new AddressList().add(value)).toBe(false);
});
