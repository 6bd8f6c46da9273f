import { operationFromDocument, Supergraph } from '@apollo/federation-internals';
import { QueryPlanner } from '@apollo/query-planner';
import { parse } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composeSupergraph } from '../../gateway/compose/compose.js';
import { createOperationAuthorizer } from '../../gateway/authorize/index.js';
import type { GatewayConfig } from '../../gateway/index.js';
import { Planner } from '../../gateway/plan/planner.js';
import {
  AUDIENCE,
  Cleanup,
  codes,
  compose,
  startTestGateway,
  TestIssuer,
  TestLog,
  TestSubgraph,
  until,
} from './support.js';
import type { TestGateway } from './support.js';

const TYPES = 20;
const cleanup = new Cleanup();
let issuer: TestIssuer;
let supergraph: string;
let subgraphs: TestSubgraph[];
let nodes: TestSubgraph;

const each = (template: (index: number) => string): string =>
  Array.from({ length: TYPES }, (_, index) => template(index)).join('\n');
const LINK =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])';

/** An interface with many entities that another subgraph completes: many fetches to plan. */
beforeAll(async () => {
  issuer = await TestIssuer.start();
  nodes = await TestSubgraph.start(
    'nodes',
    undefined,
    `${LINK} type Query { node: Node hello: String } interface Node { id: ID! next: Node name: String }
     ${each((i) => `type T${i} implements Node @key(fields: "id") { id: ID! next: Node name: String @shareable }`)}`,
    { resolvers: { Query: { node: () => ({ __typename: 'T1', id: '1' }), hello: () => 'world' } } },
  );
  const names = await TestSubgraph.start(
    'names',
    undefined,
    `${LINK} type Query { up: String }
     ${each((i) => `type T${i} @key(fields: "id") { id: ID! name: String @shareable city: String }`)}`,
    { resolvers: {} },
  );
  subgraphs = [nodes, names];
  for (const started of [issuer, ...subgraphs]) cleanup.add(() => started.close());
  supergraph = compose(...subgraphs);
});
afterAll(() => cleanup.run());

function start(limits: object = {}, more: Partial<GatewayConfig> = {}): Promise<TestGateway> {
  const config = {
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    limits: { selections: 100_000, tokens: 100_000, cost: 1_000_000_000, overlaps: 1_000_000_000, ...limits },
    ...more,
  };
  return startTestGateway(cleanup, supergraph, config, { planInWorker: true });
}

/** Takes Apollo's planner far longer to plan than to count. */
function dear(name: string, width = 12): string {
  const level = (inner: string): string =>
    Array.from({ length: width }, (_, i) => `... on T${i} { city next { ${inner} } }`).join(' ');
  return `query ${name} { node { ${level(level('name'))} } }`;
}

describe('an operation that takes too long to plan', () => {
  it('is refused with 400 before any subgraph request, and remembered', async () => {
    const gateway = await start({ planningMs: 1 });
    nodes.requests.length = 0;
    const answer = await gateway.ask(dear('A'));
    expect(answer.status).toBe(400);
    expect(codes(answer)).toEqual(['PLANNING_LIMIT_EXCEEDED']);
    expect(answer.body).not.toHaveProperty('data');
    expect(gateway.log.of('PLANNING_STOPPED')).toEqual([{ code: 'PLANNING_LIMIT_EXCEEDED' }]);
    for (let n = 0; n < 3; n += 1)
      expect(codes(await gateway.ask(dear('A')))).toEqual(['PLANNING_LIMIT_EXCEEDED']);
    // It did not cost another worker.
    expect(gateway.log.of('PLANNING_STOPPED')).toHaveLength(1);
    expect(nodes.requests).toEqual([]);
  });

  it('does not block known operations, /health or new operations', async () => {
    const gateway = await start({ planningMs: 50 });
    expect((await gateway.ask('{ hello }')).body.data).toEqual({ hello: 'world' });
    let tries = 0;
    // A busy machine may answer the others later; planning that blocked them would do so each time.
    await until(async () => {
      tries += 1;
      const order: string[] = [];
      const note =
        (name: string) =>
        <Value>(value: Value): Value => {
          order.push(name);
          return value;
        };
      const hostile = gateway.ask(dear(`B${tries}`, 14)).then(note('hostile'));
      const known = gateway.ask('{ hello }').then(note('known'));
      const health = fetch(`${gateway.url}/health`).then(note('health'));
      const fresh = gateway.ask(`query Fresh${tries} { hello }`);
      expect((await known).body.data).toEqual({ hello: 'world' });
      expect((await health).status).toBe(200);
      expect((await hostile).status).toBe(400);
      expect((await fresh).body.data).toEqual({ hello: 'world' });
      return order.at(-1) === 'hostile';
    }, 'the others are answered before the one that takes long');
  });

  it('is limited together with its whole batch', async () => {
    const gateway = await start({ planningMs: 30 }, { http: { batch: { maxOperations: 10 } } });
    const answer = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(['C', 'D', 'E', 'F'].map((name) => ({ query: dear(name) }))),
    });
    const pieces = (await answer.json()) as { errors?: { extensions: { code: string } }[] }[];
    expect(pieces.map(({ errors }) => errors?.[0]?.extensions.code)).toEqual(
      Array(4).fill('PLANNING_LIMIT_EXCEEDED'),
    );
    expect(gateway.log.of('PLANNING_STOPPED').length).toBeLessThan(4);
  });

  it('is refused by the planner’s own bounds, too', async () => {
    const ways = composeSupergraph(
      ['a', 'b', 'c', 'd'].map((name) => ({
        name,
        url: `http://${name}.example`,
        sdl: `${LINK} ${name === 'a' ? 'type Query { s: S }' : ''} type S @shareable { v: String s: S a: A }
          type A @key(fields: "id") { id: ID! s: S @shareable x: String @shareable }`,
      })),
    );
    const config = {
      issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
      limits: { depth: 40, planningMs: 60_000 },
    };
    const gateway = await startTestGateway(cleanup, ways, config, { planInWorker: true });
    const nested = (depth: number): string => (depth === 0 ? 'x' : `s { a { ${nested(depth - 1)} } }`);
    const answer = await gateway.ask(`{ s { a { ${nested(8)} } } }`);
    expect(codes(answer)).toEqual(['PLANNING_LIMIT_EXCEEDED']);
    expect(gateway.log.of('PLANNING_STOPPED')).toEqual([]);
  });
});

describe('operations that wait for the planner', () => {
  it('are bounded: more are refused with 503 and Retry-After', async () => {
    const gateway = await start({ planningQueue: 2, planningMs: 60_000 });
    const longest = gateway.ask(dear('H'));
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => gateway.ask(`query Q${index} { hello }`)),
    );
    await longest;
    const refused = answers.filter(({ status }) => status === 503);
    expect(refused.length).toBeGreaterThan(0);
    for (const answer of refused) {
      expect(codes(answer)).toEqual(['PLANNER_BUSY']);
      expect(answer.headers['retry-after']).toBe('1');
    }
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(0);
    expect((await gateway.ask('query Q11 { hello }')).body.data).toEqual({ hello: 'world' });
  });

  it('with the same text are planned once', async () => {
    const gateway = await start({ planningQueue: 1 });
    const answers = await Promise.all(Array.from({ length: 8 }, () => gateway.ask('query Same { hello }')));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
  });
});

describe('the planner', () => {
  function plannerOf(log = new TestLog()): Planner {
    const { executableSdl } = createOperationAuthorizer(supergraph);
    const planner = new Planner({ supergraphSdl: executableSdl, config: {}, maxWaiting: 10, log });
    cleanup.add(() => planner.close());
    return planner;
  }

  let shared: Planner;
  beforeAll(() => {
    shared = plannerOf();
  });

  it.each([
    ['{ hello }', undefined],
    ['{ node { id name ... on T3 { city next { name } } } }', undefined],
    [
      'query A { hello } query B($n: Boolean = true) { node { id @include(if: $n) ... on T1 { city } } }',
      'B',
    ],
    ['{ __schema { queryType { name } } hello }', undefined],
    ['{ __typename }', undefined],
  ])('makes the plan that Apollo makes in this thread: %s', async (text, operationName) => {
    const plan = await shared.plan({ text, operationName }, { leftMs: 60_000 });
    const whole = Supergraph.build(createOperationAuthorizer(supergraph).executableSdl);
    const operation = operationFromDocument(
      whole.apiSchema(),
      parse(text),
      operationName === undefined ? {} : { operationName },
    );
    const expected = new QueryPlanner(whole).buildQueryPlan(operation);
    expect(JSON.parse(plan)).toEqual(JSON.parse(JSON.stringify(expected)));
  });

  it('continues after it was stopped for an operation', async () => {
    const planner = plannerOf();
    const tooLong = planner.plan({ text: dear('X'), operationName: undefined }, { leftMs: 20 });
    const next = planner.plan({ text: '{ hello }', operationName: undefined }, { leftMs: 60_000 });
    await expect(tooLong).rejects.toMatchObject({ refusal: { code: 'PLANNING_LIMIT_EXCEEDED' } });
    expect(JSON.parse(await next)).toMatchObject({ kind: 'QueryPlan' });
  });

  it('of a replaced supergraph still plans requests that began with it', async () => {
    const planner = plannerOf();
    planner.retire();
    for (let n = 0; n < 2; n += 1) {
      const plan = await planner.plan({ text: '{ hello }', operationName: undefined }, { leftMs: 60_000 });
      expect(JSON.parse(plan)).toMatchObject({ kind: 'QueryPlan' });
    }
  });

  it('answers waiting and later callers when it is closed', async () => {
    const planner = plannerOf();
    const waiting = planner.plan({ text: '{ hello }', operationName: undefined }, { leftMs: 60_000 });
    planner.close();
    await expect(waiting).rejects.toThrow('closed');
    await expect(
      planner.plan({ text: '{ hello }', operationName: undefined }, { leftMs: 1 }),
    ).rejects.toThrow('closed');
  });

  it('reports an unreadable supergraph instead of retrying forever', async () => {
    const log = new TestLog();
    const planner = new Planner({ supergraphSdl: 'type Query', config: {}, maxWaiting: 10, log });
    cleanup.add(() => planner.close());
    await expect(
      planner.plan({ text: '{ hello }', operationName: undefined }, { leftMs: 60_000 }),
    ).rejects.toThrow('cannot be started');
    expect(log.of('PLANNER_ENDED')).toHaveLength(3);
  });
});
