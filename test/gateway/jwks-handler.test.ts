import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import fastify from 'fastify';
import { createLocalJWKSet } from 'jose';
import type { JSONWebKeySet } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fastifyJwksHandler, jwksHandler, protectGateway } from '../../gateway/index.js';
import type { ProtectedGateway } from '../../gateway/index.js';
import { Cleanup, send } from './support.js';

const PATH = '/.well-known/jwks.json';
const cleanup = new Cleanup();
let gateway: ProtectedGateway;

beforeAll(() => {
  gateway = protectGateway(
    { supergraphSdl: 'type Query { a: Int }' },
    {
      issuers: [{ issuer: 'https://login.example', audience: 'https://api.example' }],
      propagation: { issuer: 'https://gateway.example' },
    },
  );
});
afterAll(() => cleanup.run());

async function served(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  cleanup.add(() => new Promise((resolve) => server.close(resolve)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}${PATH}`;
}

const SERVERS: [string, (source: Pick<ProtectedGateway, 'jwks'>) => Promise<string>][] = [
  ['node:http', (source) => served(jwksHandler(source))],
  [
    'Express',
    (source) => {
      const app = express();
      app.all(PATH, jwksHandler(source));
      return served(app);
    },
  ],
  [
    'Fastify',
    async (source) => {
      const app = fastify();
      app.all(PATH, fastifyJwksHandler(source));
      cleanup.add(() => app.close());
      return `${await app.listen({ port: 0, host: '127.0.0.1' })}${PATH}`;
    },
  ],
];

describe.each(SERVERS)('the keys of transaction tokens over %s (RFC 7517)', (_name, serve) => {
  it('are served to GET, public and cacheable for a minute', async () => {
    const answer = await send(await serve(gateway), '', {}, 'GET');
    expect(answer.status).toBe(200);
    expect(answer.headers['cache-control']).toBe('public, max-age=60');
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    const keys = JSON.parse(answer.text) as JSONWebKeySet;
    expect(keys).toEqual(await gateway.jwks());
    expect(() => createLocalJWKSet(keys)).not.toThrow();
    for (const key of keys.keys) expect(key).not.toHaveProperty('d');
  });

  it('answer HEAD as GET, without the body', async () => {
    const url = await serve(gateway);
    const [get, head] = [await send(url, '', {}, 'GET'), await send(url, '', {}, 'HEAD')];
    expect(head).toMatchObject({ status: 200, text: '' });
    expect(head.headers['content-length']).toBe(get.headers['content-length']);
    expect(head.headers['cache-control']).toBe(get.headers['cache-control']);
  });

  it.each(['POST', 'PUT', 'PATCH'])('refuse %s', async (method) => {
    const answer = await send(await serve(gateway), '{}', { 'content-type': 'application/json' }, method);
    expect(answer.status).toBe(405);
    expect(answer.headers).toMatchObject({ allow: 'GET, HEAD', 'cache-control': 'no-store' });
  });

  it('are unavailable, and not cached, while there are none', async () => {
    const failing = { jwks: () => Promise.reject(new Error('the private key is s3cret')) };
    const answer = await send(await serve(failing), '', {}, 'GET');
    expect(answer.status).toBe(503);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.text).not.toContain('s3cret');
  });
});

describe('a handler that is used in the wrong place', () => {
  it.each([undefined, null, {}, 'gateway'])('refuses %j for a gateway, at the start', (source) => {
    for (const make of [jwksHandler, fastifyJwksHandler])
      expect(() => make(source as never)).toThrow(/needs the gateway that protectGateway returned/);
  });

  it('jwksHandler in Fastify answers 500 and leaves the process running', async () => {
    const app = fastify();
    cleanup.add(() => app.close());
    app.get(PATH, jwksHandler(gateway) as never);
    const { statusCode, body } = await app.inject(PATH);
    expect(statusCode).toBe(500);
    expect(body).toContain('fastifyJwksHandler');
  });
});
