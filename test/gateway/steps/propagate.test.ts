import { GraphQLError } from 'graphql';
import { describe, expect, it } from 'vitest';
import type { ExecutionOutcome } from '../../../gateway/authorize/index.js';
import { PROPAGATION } from '../../../gateway/propagate/propagation.js';
import { propagate } from '../../../gateway/steps/propagate.js';
import type { Authorized } from '../../../gateway/stages/stages.js';
import {
  authorized,
  decision,
  delegationOf,
  operationOf,
  requestOf,
  SCHEMA,
  standIn,
  tokenOf,
} from './support.js';

const FILTERED = operationOf('query Mine { other }');

async function run(stage: Authorized, answer: object = { data: { other: 'x' } }) {
  const sent: (readonly [Record<string, unknown>, unknown])[] = [];
  const introspected: unknown[][] = [];
  const done = await propagate(
    stage,
    requestOf('{ me other }', { request: { query: 'q' }, context: { mine: 1 } }),
    {
      execute: async (...call: unknown[]) => {
        sent.push(call as unknown as (typeof sent)[number]);
        return answer as never;
      },
      schemaIntrospection: standIn({
        answer: async (...call: unknown[]) => {
          introspected.push(call);
          return { data: { __schema: 1 } };
        },
      }),
    },
  );
  return { done, sent, introspected };
}

describe('propagate', () => {
  it('executes what the decision leaves, under its own hash', async () => {
    const variables = { a: 1 };
    const stage = authorized({ authorization: decision({ execute: FILTERED }) }, { variables });
    const { done, sent } = await run(stage);
    expect(sent).toHaveLength(1);
    const [[request, usage] = []] = sent;
    expect(usage).toBe(stage.usage);
    expect(request).toMatchObject({
      ...FILTERED,
      operationName: 'Mine',
      source: '',
      schema: SCHEMA,
      request: { query: 'q', variables },
      context: { mine: 1, [PROPAGATION]: stage.propagation },
    });
    // @apollo/gateway may change what it is given.
    expect((request?.['request'] as { variables: unknown }).variables).not.toBe(variables);
    expect(done).toMatchObject({
      ...stage,
      outcome: { data: { other: 'x' } },
      schemaIntrospectionOutcome: undefined,
    });
  });

  it('executes all that was asked in shadow', async () => {
    const stage = authorized({ authorization: decision({ execute: FILTERED }) }, { isShadow: true });
    const { sent } = await run(stage);
    expect(sent[0]?.[0]).toMatchObject({ ...stage.asked });
  });

  it('asks no subgraph when nothing is left', async () => {
    const { done, sent } = await run(authorized({ authorization: decision({ execute: undefined }) }));
    expect(sent).toEqual([]);
    expect(done.outcome).toEqual({ data: {} });
    const asksNothing = await run(authorized({}, { isShadow: true, asked: undefined }));
    expect(asksNothing.sent).toEqual([]);
  });

  it.each([
    ['{ other }', null],
    ['query Accounts { other }', 'Accounts'],
    ['query SE4550000000058398257466 { other }', null],
  ])('gives a span no name that could be a value: %s', async (text, name) => {
    const { sent } = await run(authorized({ authorization: decision({ execute: operationOf(text) }) }));
    expect(sent[0]?.[0]).toMatchObject({ operationName: name, source: '' });
  });

  const errors = [new GraphQLError('x')];
  it.each<[object, ExecutionOutcome]>([
    [{}, {}],
    [{ data: null }, { data: null }],
    [{ errors }, { errors }],
    [
      { data: {}, errors },
      { data: {}, errors },
    ],
    [{ data: { a: 1 }, errors: undefined, http: {} }, { data: { a: 1 } }],
  ])('leaves out of an outcome what is not there: %#', async (answer, outcome) => {
    const { done } = await run(authorized(), answer);
    expect(done.outcome).toStrictEqual(outcome);
  });

  it('answers for the schema beside the plan', async () => {
    const token = tokenOf(delegationOf('a'));
    const schemaIntrospection = standIn<never>({ introspection: 'document' });
    const { done, introspected } = await run(
      authorized({ token }, { schemaIntrospection, variables: { v: 1 } }),
    );
    const { delegation } = token;
    expect(introspected).toEqual([[SCHEMA, { document: 'document', delegation, variables: { v: 1 } }]]);
    expect(done.schemaIntrospectionOutcome).toEqual({ data: { __schema: 1 } });
  });
});
