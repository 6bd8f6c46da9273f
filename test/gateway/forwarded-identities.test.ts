import { afterAll, beforeAll, expect, it } from 'vitest';
import { logForwardedIdentities } from '../../gateway/propagate/forwarded-identities.js';
import { compileSubgraphHeaders } from '../../gateway/propagate/subgraph-headers.js';
import type { SubgraphsOptions } from '../../gateway/index.js';
import {
  AUDIENCE,
  Cleanup,
  compose,
  startTestGateway,
  TestIssuer,
  TestLog,
  TestSubgraph,
} from './support.js';

const CODE = 'IDENTITY_HEADER_FORWARDED';
const cleanup = new Cleanup();
let issuer: TestIssuer;
let people: TestSubgraph;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
});
afterAll(() => cleanup.run());

function logged(subgraphs: SubgraphsOptions): unknown {
  const log = new TestLog();
  logForwardedIdentities(compileSubgraphHeaders(subgraphs), log);
  return log.entries;
}

const identity = { headers: { 'X-User-Id': { from: 'subject' } } } as const;

it('a header that is an identity elsewhere and the client’s here is logged, in any case', () => {
  expect(
    logged({
      people: identity,
      accounts: identity,
      orders: { forwardHeaders: ['accept-language', 'x-user-ID'] },
    }),
  ).toEqual([
    {
      level: 'warn',
      code: CODE,
      facts: { subgraph: 'orders', header: 'x-user-id', identityAt: 'people accounts' },
    },
  ]);
});

it('constants, and headers of one kind alone, are not logged', () => {
  expect(
    logged({
      people: identity,
      accounts: { headers: { 'x-api-version': { value: '7' } } },
      orders: { forwardHeaders: ['x-api-version', 'x-tenant'] },
    }),
  ).toEqual([]);
});

it('it is logged once, at the start of the gateway', async () => {
  const gateway = await startTestGateway(cleanup, compose(people), {
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    subgraphs: { people: identity, orders: { forwardHeaders: ['x-user-id'] } },
  });
  expect(gateway.log.of(CODE)).toHaveLength(1);
  await gateway.ask('{ hello }');
  expect(gateway.log.of(CODE)).toHaveLength(1);
});
