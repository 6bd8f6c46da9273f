import { decodeProtectedHeader } from 'jose';
import { afterEach, expect, it } from 'vitest';
import { checkConfig } from '../../gateway/index.js';
import {
  AUDIENCE,
  Cleanup,
  compose,
  freePort,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
} from './support.js';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

it('the keys of transaction tokens rotate by schedule, and subgraphs refuse no request', async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const issuer = await TestIssuer.start();
  const people = await TestSubgraph.start('people', { issuer: url, jwksUri: `${url}/.well-known/jwks.json` });
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  const gateway = await startTestGateway(cleanup, compose(people), {
    listen: { port },
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    propagation: { rotateKeysAfterSeconds: 2 },
  });
  const token = await issuer.mint({ scope: 'name' });
  const kids = new Set<string | undefined>();
  while (kids.size < 3) {
    const answer = await gateway.ask('{ me { name } }', { token });
    expect(answer.body).toEqual({ data: { me: { name: 'Name of c-000001' } } });
    kids.add(decodeProtectedHeader(String(people.requests.at(-1)?.headers['txn-token'])).kid);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});

it('a schedule for a key of a file is a contradiction', () => {
  const config = {
    supergraph: './s.graphql',
    issuers: [{ issuer: 'https://issuer.example', audience: AUDIENCE }],
    propagation: { keyFile: './key.json', rotateKeysAfterSeconds: 900 },
    audit: { mode: 'off' },
  };
  expect(() => checkConfig(config)).toThrow('propagation.rotateKeysAfterSeconds: contradicts');
  expect(() => checkConfig({ ...config, propagation: { rotateKeysAfterSeconds: 60 } })).toThrow(
    'propagation.rotateKeysAfterSeconds',
  );
});
