import { afterAll, beforeAll, expect, it } from 'vitest';
import { peopleSdl } from './domain.js';
import { AUDIENCE, Cleanup, codes, compose, startTestGateway, TestIssuer, TestSubgraph } from './support.js';
import type { TestGateway } from './support.js';

const cleanup = new Cleanup();
let gateway: TestGateway;
let people: TestSubgraph;

beforeAll(async () => {
  const issuer = await TestIssuer.start();
  const sdl = peopleSdl
    .replace('"@key"', '"@key", "@inaccessible"')
    .replace('nick: String', 'nick: String @inaccessible');
  people = await TestSubgraph.start('people', undefined, sdl);
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  gateway = await startTestGateway(cleanup, compose(people), {
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
  });
});
afterAll(() => cleanup.run());

it('a supergraph with @inaccessible is served without what is inaccessible', async () => {
  expect((await gateway.ask('{ me { id } }')).body.data).toEqual({ me: { id: 'c-000001' } });
  people.requests.length = 0;
  const answer = await gateway.ask('{ me { id nick } }');
  expect(codes(answer)).toEqual(['GRAPHQL_VALIDATION_FAILED']);
  expect(people.requests).toEqual([]);
});
