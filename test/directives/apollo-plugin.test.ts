import { protectedContext, protectedSubgraphPlugin } from '@behalf/directives';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { graphql, GraphQLSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../directives/src/clock.js';
import { graphqlRequestHash } from '../../directives/src/claims/request-hash.js';
import { REQUEST_STATE, RequestState } from '../../directives/src/enforce/request-state.js';
import { testedSubgraph } from './support.js';

const subgraph = testedSubgraph('type Query { ok: Int @authenticated }', { Query: { ok: () => 1 } });
const plugin = protectedSubgraphPlugin(subgraph.schema);

describe('what Apollo Server is about to execute', () => {
  const bound = { query: 'query A { ok }', variables: { a: 1 }, operationName: 'A' };
  const boundTo = graphqlRequestHash(bound);
  const contextBoundTo = (hash: string | undefined): object => ({
    [REQUEST_STATE]: new RequestState(hash === undefined ? {} : { boundTo: hash }, ROOT_CONTEXT, {
      requirements: [],
      minimizations: [],
      rowExemptions: [],
      plans: new Map(),
      isEnforced: true,
      fields: [],
      pseudonyms: new Map(),
      clock: systemClock,
    }),
  });

  async function execute(contextValue: unknown, changed: Partial<typeof bound> = {}): Promise<void> {
    const { query, variables, operationName } = { ...bound, ...changed };
    const hooks = await plugin.requestDidStart();
    await hooks.didResolveOperation({ contextValue, source: query, request: { variables, operationName } });
  }

  it('is the request that its token is bound to', async () => {
    await expect(execute(contextBoundTo(boundTo))).resolves.toBeUndefined();
  });

  it.each([
    ['query', { query: 'query A { ok __typename }' }],
    ['variables', { variables: { a: 2 } }],
    ['operation name', { operationName: 'B' }],
  ])('is refused with another %s', async (_, changed) => {
    await expect(execute(contextBoundTo(boundTo), changed)).rejects.toMatchObject({
      message: 'The request is not the one that was authorized',
      extensions: { code: 'TXN_TOKEN_ELSEWHERE' },
    });
  });

  it('is anything where the token is bound to nothing, or there is none', async () => {
    await expect(execute(contextBoundTo(undefined))).resolves.toBeUndefined();
    await expect(execute({})).resolves.toBeUndefined();
  });
});

describe('the facts', () => {
  const FACTS = { v: 1, fields: [['Query.ok', 'allowed', 1, null, '@authenticated']] };

  type Body = Parameters<
    Awaited<ReturnType<typeof plugin.requestDidStart>>['willSendResponse']
  >[0]['response']['body'];

  async function send(contextValue: unknown, body: Body, by = plugin): Promise<Body> {
    const hooks = await by.requestDidStart();
    await hooks.willSendResponse({ contextValue, response: { body } });
    return body;
  }

  it('go beside the extensions that the response has', async () => {
    const contextValue = await subgraph.context({});
    await graphql({ schema: subgraph.schema, source: '{ ok }', contextValue });
    const body = await send(contextValue, { kind: 'single', singleResult: { extensions: { cost: 1 } } });
    expect(body).toEqual({ kind: 'single', singleResult: { extensions: { cost: 1, behalf: FACTS } } });
  });

  it('are those of the schema that a function returns, where it is made after the plugin', async () => {
    const made: GraphQLSchema[] = [];
    const early = protectedSubgraphPlugin(() => made[0] ?? new GraphQLSchema({}));
    const { schema } = subgraph;
    made.push(schema);
    const contextValue = await subgraph.context({});
    await graphql({ schema, source: '{ ok }', contextValue });
    expect(await send(contextValue, { kind: 'single', singleResult: {} }, early)).toEqual({
      kind: 'single',
      singleResult: { extensions: { behalf: FACTS } },
    });
  });

  it('say of a refused token why, and nothing of the rules', async () => {
    const contextValue = await protectedContext(subgraph.schema, { 'txn-token': 'forged' });
    await graphql({ schema: subgraph.schema, source: '{ ok }', contextValue });
    expect(await send(contextValue, { kind: 'single', singleResult: {} })).toEqual({
      kind: 'single',
      singleResult: { extensions: { behalf: { v: 1, refusedToken: 'TXN_TOKEN_INVALID' } } },
    });
  });

  it('say to a caller without a token that there is none, and nothing of the rules', async () => {
    const contextValue = await subgraph.context(undefined);
    await graphql({ schema: subgraph.schema, source: '{ ok }', contextValue });
    expect(await send(contextValue, { kind: 'single', singleResult: {} })).toEqual({
      kind: 'single',
      singleResult: { extensions: { behalf: { v: 1, refusedToken: 'TXN_TOKEN_MISSING' } } },
    });
  });

  it('are told to nobody without a request', async () => {
    await graphql({ schema: subgraph.schema, source: '{ ok }', contextValue: {} });
    expect(await send({}, { kind: 'single', singleResult: {} })).toEqual({
      kind: 'single',
      singleResult: {},
    });
  });

  it('are left out of an incremental response', async () => {
    const contextValue = await subgraph.context({});
    expect(await send(contextValue, { kind: 'incremental' })).toEqual({ kind: 'incremental' });
  });
});
