import { buildSchema, Kind, parse } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Delegation } from '@behalf/directives';
import { createOperationAuthorizer } from '../../gateway/authorize/index.js';
import type { ClientOperation } from '../../gateway/authorize/index.js';
import { SchemaIntrospection } from '../../gateway/schema-introspection/index.js';
import { ByteCache } from '../../gateway/byte-cache.js';
import { QueryPlans } from '../../gateway/plan/query-plans.js';
import { AUDIENCE, Cleanup, compose, send, startTestGateway, TestIssuer, TestSubgraph } from './support.js';
import type { TestGateway } from './support.js';

const MEGABYTE = 1024 * 1024;
const cleanup = new Cleanup();
let issuer: TestIssuer;
let people: TestSubgraph;
let supergraph: string;
let token: string;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  supergraph = compose(people);
  token = await issuer.mint({ scope: 'name email' });
});
afterAll(() => cleanup.run());

/** Accepts operations of any size, and caches little of them. */
function start(cacheMegabytes: number): Promise<TestGateway> {
  const any = 1_000_000;
  return startTestGateway(cleanup, supergraph, {
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    http: { batch: {} },
    limits: {
      tokens: any,
      selections: any,
      overlaps: 1_000_000_000,
      aliases: any,
      directives: any,
      planningMs: 60_000,
      cacheMegabytes,
    },
  });
}

function large(name: string, field: string, size: number): string {
  return `query ${name} { me { ${Array.from({ length: size }, (_, i) => `a${i}: ${field}`).join(' ')} } }`;
}

describe('an operation that is denied whole to an anonymous caller', () => {
  it('leaves nothing in the caches: 240 kB each, where they would fit', async () => {
    const gateway = await start(2_000);
    for (let n = 0; n < 2; n += 1) {
      const answer = await gateway.ask(large(`Q${n}`, 'email', 15_000));
      expect(answer.body.data).toEqual({ me: null });
    }
    const { gateway: served } = gateway.running;
    expect(served.cached()).toEqual({ operations: 0, decisions: 0, bytes: 0 });
    expect([served.documents.count, served.documents.bytes]).toEqual([0, 0]);
  });

  it.each(['{ mine }', '{ me { name } }', '{ me { email score } }', 'mutation { rename { id } }'])(
    'is not kept, however small: %s',
    async (query) => {
      const gateway = await start(50);
      await gateway.ask(query);
      const { gateway: served } = gateway.running;
      expect(served.cached().operations).toBe(0);
      expect(served.documents.count).toBe(0);
    },
  );

  it('is not kept from a batch either, but the rest is', async () => {
    const gateway = await start(50);
    for (const queries of [
      ['{ me { name } }', '{ hello }'],
      ['{ me { nick } }', '{ me { email } }'],
    ]) {
      const body = JSON.stringify(queries.map((query) => ({ query })));
      await send(`${gateway.url}/graphql`, body, { 'content-type': 'application/json' });
    }
    const { gateway: served } = gateway.running;
    expect(served.documents.count).toBe(2);
    expect(served.cached().operations).toBe(2);
  });

  it('stays if an authenticated caller has cached it', async () => {
    const gateway = await start(50);
    const { gateway: served } = gateway.running;
    await gateway.ask('{ me { name } }', { token });
    const kept = served.cached();
    expect(kept.operations).toBe(1);
    for (let n = 0; n < 3; n += 1) await gateway.ask('{ me { name } }');
    expect(served.cached()).toEqual(kept);
    expect(served.documents.count).toBe(1);
    expect((await gateway.ask('{ me { name } }', { token })).body.data).toEqual({
      me: { name: 'Name of c-000001' },
    });
  });
});

describe('an answered operation', () => {
  it('stays within the byte limit: documents, operations, decisions and plans', async () => {
    const gateway = await start(5);
    const { gateway: served } = gateway.running;
    for (let n = 0; n < 40; n += 1) {
      const answer = await gateway.ask(large(`Q${n}`, 'nick', 150), { token });
      expect(answer.body.errors).toBeUndefined();
      const partly = await gateway.ask(large(`P${n}`, 'email', 150).replace('{ me {', '{ me { nick '));
      expect(partly.body.data).toMatchObject({ me: { nick: 'al' } });
    }
    expect(served.documents.bytes).toBeLessThanOrEqual(MEGABYTE);
    expect(served.documents.count).toBeLessThan(80);
    expect(served.cached().bytes).toBeLessThanOrEqual(3 * MEGABYTE);
    expect(served.cached().operations).toBeGreaterThan(0);
    expect(served.cached().operations).toBeLessThan(80);
  });

  it('is answered alike when nothing of it can be cached', async () => {
    const gateway = await start(5);
    for (let n = 0; n < 2; n += 1) {
      const answer = await gateway.ask(large('Q', 'nick', 5_000), { token });
      expect(answer.body.errors).toBeUndefined();
    }
    expect(gateway.running.gateway.documents.count).toBe(0);
  });
});

describe('the authorizer', () => {
  const client = (text: string): ClientOperation => {
    const document = parse(text);
    const operation = document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
    if (operation === undefined) throw new Error('no operation');
    return { document, operation, queryHash: text };
  };
  const delegation = (...scopes: string[]): Delegation => ({
    subject: 's',
    clientId: 'c',
    scopes: new Set(scopes),
    policies: new Set(),
    roles: [],
  });

  it('accounts for each decision on an operation, also for many variables', () => {
    const authorizer = createOperationAuthorizer(supergraph, { cacheBytes: MEGABYTE });
    const text = `query (${Array.from({ length: 10 }, (_, i) => `$v${i}: Boolean!`).join(' ')}) { me { name ${Array.from({ length: 10 }, (_, i) => `a${i}: nick @include(if: $v${i})`).join(' ')} } }`;
    for (let n = 0; n < 1_024; n += 1) {
      const variables = Object.fromEntries(
        Array.from({ length: 10 }, (_, i) => [`v${i}`, ((n >> i) & 1) === 1]),
      );
      authorizer.authorize(client(text), delegation(), variables);
    }
    expect(authorizer.cached().operations).toBe(1);
    expect(authorizer.cached().decisions).toBeLessThan(1_024);
    expect(authorizer.cached().bytes).toBeLessThanOrEqual(2 * MEGABYTE);
  });

  it('decides the same with and without caching', () => {
    const kept = createOperationAuthorizer(supergraph);
    const forgetful = createOperationAuthorizer(supergraph, { cacheBytes: 1 });
    for (const text of ['{ me { name email } }', '{ me { id } }', '{ mine }', '{ me { name email } }']) {
      for (const caller of [undefined, delegation(), delegation('name'), delegation('email')]) {
        const one = kept.authorize(client(text), caller, {});
        const other = forgetful.authorize(client(text), caller, {});
        expect(other.denials).toEqual(one.denials);
        expect(other.execute?.queryHash).toBe(one.execute?.queryHash);
      }
    }
    expect(forgetful.cached()).toEqual({ operations: 0, decisions: 0, bytes: 0 });
  });

  it('caches nothing that an administrator has explained', () => {
    const authorizer = createOperationAuthorizer(supergraph);
    authorizer.explain(client('{ me { name email } }'), delegation('name'), {});
    expect(authorizer.cached().operations).toBe(0);
  });
});

describe('the schemas that callers see', () => {
  it('are cached within the byte limit, however many scopes callers have', async () => {
    const authorizer = createOperationAuthorizer(supergraph);
    const introspection = new SchemaIntrospection({ authorizer, rule: 'granted', cacheBytes: 60_000 });
    const schema = buildSchema('type Query { hello: String mine: String }');
    const query = parse('{ __schema { queryType { name } } }');
    for (const scopes of [[], ['name'], ['email'], ['name', 'email'], ['people:write']]) {
      const held: Delegation = {
        subject: 's',
        clientId: 'c',
        scopes: new Set(scopes),
        policies: new Set(),
        roles: [],
      };
      const { data } = await introspection.answer(schema, {
        document: query,
        delegation: held,
        variables: {},
      });
      expect(data).toEqual({ __schema: { queryType: { name: 'Query' } } });
      expect(introspection.bytes).toBeLessThanOrEqual(60_000);
      expect(introspection.bytes).toBeGreaterThan(0);
    }
  });
});

describe('query plans', () => {
  it('are cached within the byte limit', async () => {
    const plans = new QueryPlans({ maxBytes: 100_000 });
    for (let n = 0; n < 100; n += 1) {
      await plans.set(`plan ${n}`, {
        kind: 'QueryPlan',
        node: {
          kind: 'Fetch',
          serviceName: 'a',
          operation: 'x'.repeat(1_000),
          operationName: undefined,
          operationKind: 'query' as never,
        },
      });
    }
    expect(plans.bytes).toBeLessThanOrEqual(100_000);
    expect(await plans.get('plan 0')).toBeUndefined();
    expect(await plans.get('plan 99')).toBeDefined();
  });
});

describe('a byte cache', () => {
  it('evicts the least recently used, and refuses what is larger than itself', () => {
    const cache = new ByteCache<object>(10_000);
    cache.set('a', {}, 30, 100);
    cache.set('b', {}, 30, 100);
    cache.get('a');
    cache.set('c', {}, 30, 100);
    expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([{}, undefined, {}]);
    cache.set('d', {}, 100, 100);
    expect(cache.get('d')).toBeUndefined();
    expect(cache.count).toBe(2);
    expect(cache.bytes).toBeLessThanOrEqual(10_000);
  });
});
