import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LINKS } from '../../conformance/support.js';
import { placed, serve } from '../subgraph-errors/support.js';
import type { Setting } from '../subgraph-errors/support.js';
import type { TestSubgraph } from '../support.js';
import { send } from './answers.js';

// GraphQL section 7.1: a response without data has errors. Each null that the client sees has one.

let setting: Setting;
let one: TestSubgraph;
let two: TestSubgraph;

beforeAll(async () => {
  setting = await serve('server', [
    {
      name: 'one',
      sdl: `${LINKS} type Query { a: String b: String thing: Thing needed: Int! } type Thing @key(fields: "id") { id: ID }`,
      resolvers: {},
    },
    {
      name: 'two',
      sdl: `${LINKS} type Query { c: String } type Thing @key(fields: "id") { id: ID name: String more: String }`,
      resolvers: {},
    },
  ]);
  const find = (name: string): TestSubgraph => {
    const found = setting.subgraphs.get(name);
    if (found === undefined) throw new Error(`no subgraph ${name}`);
    return found;
  };
  one = find('one');
  two = find('two');
});
afterAll(() => setting.close());

const error = (code: string, path?: readonly unknown[]): object => ({
  message: 'x',
  path,
  extensions: { code },
});

describe('an answer without data', () => {
  it.each<[string, number, readonly object[], readonly string[]]>([
    ['its only error is at one field', 200, [error('OWN', ['a'])], ['a OWN', 'b DOWNSTREAM_SERVICE_ERROR']],
    ['with an HTTP error too', 400, [error('OWN', ['a'])], ['a OWN', 'b DOWNSTREAM_SERVICE_ERROR']],
    ['its errors are at all fields', 200, [error('OWN', ['a']), error('OWN', ['b'])], ['a OWN', 'b OWN']],
    ['one error is of all', 200, [error('OWN', ['a']), error('ALL')], ['a ALL', 'a OWN', 'b ALL']],
    ['its error is at a field that was not requested', 200, [error('OWN', ['c'])], ['a OWN', 'b OWN']],
  ])('has an error for each null: %s', async (_what, status, errors, expected) => {
    one.instead = send(status, JSON.stringify({ data: null, errors }));
    const answer = await setting.ask('{ a b }');
    expect(answer.body.data).toEqual({ a: null, b: null });
    expect(placed(answer).sort()).toEqual(expected);
  });

  it('is explained by the null of a non-null field', async () => {
    one.instead = send(200, JSON.stringify({ data: null, errors: [error('OWN', ['needed'])] }));
    const answer = await setting.ask('{ needed b }');
    expect(answer.body.data).toBeNull();
    expect(placed(answer)).toEqual(['needed OWN']);
  });

  it('leaves an error at each entity', async () => {
    one.instead = send(200, '{"data":{"thing":{"__typename":"Thing","id":"1"}}}');
    two.instead = send(200, JSON.stringify({ errors: [error('OWN', ['_entities', 0, 'name'])] }));
    const answer = await setting.ask('{ thing { id name more } }');
    expect(answer.body.data).toEqual({ thing: { id: '1', name: null, more: null } });
    expect(placed(answer).sort()).toEqual(['thing.more DOWNSTREAM_SERVICE_ERROR', 'thing.name OWN']);
    two.instead = send(200, '{}');
    expect(placed(await setting.ask('{ thing { id name } }'))).toEqual([
      'thing.name SUBREQUEST_MALFORMED_RESPONSE',
    ]);
  });
});
