import { protectSchema } from '@behalf/directives';
import type { CoordinateRules } from '@behalf/directives';
import * as fc from 'fast-check';
import {
  buildSchema,
  GraphQLFloat,
  GraphQLObjectType,
  GraphQLScalarType,
  GraphQLSchema,
  GraphQLString,
  parseConstValue,
  print,
  valueFromASTUntyped,
} from 'graphql';
import type { ConstValueNode, GraphQLOutputType } from 'graphql';
import { describe, expect, it } from 'vitest';
import { directiveNode } from '../../directives/src/schema/directive-node.js';
import { testedSchema } from './support.js';
import type { TestedSubgraph } from './support.js';

const DEFINITIONS = buildSchema(`
  directive @minimize(to: String!, step: Float, spread: Float, keep: Int) on FIELD_DEFINITION
  directive @requiresScopes(scopes: [[Scope!]!]!) on FIELD_DEFINITION
  scalar Scope
  directive @note(level: Level, box: Box, any: Any) on FIELD_DEFINITION
  enum Level { LOW HIGH }
  input Box { level: Level, size: Float }
  scalar Any
  type Query { x: Int }
`).getDirectives();

type Arguments = Readonly<Record<string, unknown>>;

/** One field whose rules are beside it, as code-first libraries have them. */
function codeFirst(type: GraphQLOutputType, directives: Arguments, value?: unknown): TestedSubgraph {
  const x = { type, resolve: () => value, extensions: { directives } };
  const query = new GraphQLObjectType({ name: 'Query', fields: { x } });
  return testedSchema((base) => protectSchema(new GraphQLSchema({ query }), base));
}

function argument(value: unknown, typed?: { directive: string; name: string }): ConstValueNode {
  const { directive, name } = typed ?? { directive: 'unknown', name: 'value' };
  const definition = DEFINITIONS.find((known) => known.name === directive);
  const node = directiveNode({ name: directive, args: { [name]: value } }, definition, 'Query.x');
  return node.arguments?.[0]?.value as ConstValueNode;
}

const STEP = { directive: 'minimize', name: 'step' };
const SCOPES = { directive: 'requiresScopes', name: 'scopes' };

const minimized = (args: Arguments): Arguments => ({ public: {}, minimize: args });

describe('a number in code is the same number in the schema', () => {
  it.each([
    [1e21, 1.5e21, 1e21],
    [1e22, 12_345_678_901_234_567_890_123, 1e22],
    [5e21, 1e20, 0],
    [1e300, 1.7e308, 1.7e308],
    [1e-7, 3e-7, 3e-7],
    [2.5e-10, 6e-10, 5e-10],
  ])('GENERALIZE by a step of %d', async (step, value, expected) => {
    const subgraph = codeFirst(GraphQLFloat, minimized({ to: 'GENERALIZE', step }), value);
    expect((await subgraph.ask('{ x }')).data).toEqual({ x: expected });
  });

  it.each([1e21, 1e22, 5e21])('of a big integer by a step of %d', async (step) => {
    const BigIntType = new GraphQLScalarType({ name: 'BigInt', serialize: (value) => BigInt(String(value)) });
    const value = '99999999999999999999999999';
    const subgraph = codeFirst(BigIntType, minimized({ to: 'GENERALIZE', step }), value);
    const { data } = await subgraph.ask('{ x }');
    expect(data?.x).toBe(BigInt(value) - (BigInt(value) % BigInt(step)));
  });

  it.each([
    [{ spread: 1e22, step: 1e21 }, 1e21],
    [{ spread: 3e21, step: 1e21 }, 1e21],
    [{ spread: 4e-7, step: 1e-7 }, 1e-7],
  ])('NOISE with %o', async (by, step) => {
    const { data } = await codeFirst(GraphQLFloat, minimized({ to: 'NOISE', ...by }), 0).ask('{ x }');
    const steps = Number(data?.x) / step;
    expect(Math.abs(steps - Math.round(steps))).toBeLessThan(1e-9);
    expect(Math.abs(Number(data?.x))).toBeLessThanOrEqual(by.spread);
  });

  it.each([
    [{ to: 'GENERALIZE', buckets: [0, 17.5], names: ['child', 'adult'] }, '20', 'adult'],
    [{ to: 'GENERALIZE', part: 'EMAIL_DOMAIN' }, 'alma@example.com', 'example.com'],
    [{ to: 'GENERALIZE', unit: 'QUARTER' }, '2026-05-17', '2026-04-01'],
    [{ to: 'MASK', form: 'IBAN', last: 4 }, 'AT611904300234573201', 'AT** **** **** **** 3201'],
    [{ to: 'MASK', last: 2, showLength: true }, 'abcdef', '****ef'],
  ])('and so are lists, texts and names of enums: %j', async (args, value, expected) => {
    const { data } = await codeFirst(GraphQLString, minimized(args), value).ask('{ x }', {});
    expect(data).toEqual({ x: expected });
  });

  it('of rules by coordinate too', async () => {
    const rules: CoordinateRules = { 'Query.x': { public: {}, minimize: { to: 'GENERALIZE', step: 1e21 } } };
    const schema = buildSchema('type Query { x: Float }');
    const subgraph = testedSchema((base) =>
      protectSchema(schema, { ...base, rules, fieldResolver: () => 1.5e21 }),
    );
    expect((await subgraph.ask('{ x }')).data).toEqual({ x: 1e21 });
  });

  it.each([
    [1e21, '1e+21', 'FloatValue'],
    [1e-7, '1e-7', 'FloatValue'],
    [-0, '-0', 'IntValue'],
    [0.5, '0.5', 'FloatValue'],
    [2 ** 53 + 2, '9007199254740994', 'IntValue'],
    [2 ** 60, '1152921504606846976', 'IntValue'],
    [-7, '-7', 'IntValue'],
    [Number.MAX_VALUE, '1.7976931348623157e+308', 'FloatValue'],
  ])('%d is written %s', (value, text, kind) => {
    expect(argument(value)).toEqual({ kind, value: text });
  });

  it('whichever it is, in lists and objects, with and without a definition (property)', () => {
    const number = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(number, (value) => {
        const read = (given: unknown, typed?: typeof STEP) =>
          valueFromASTUntyped(parseConstValue(print(argument(given, typed))));
        expect(read(value)).toBe(value);
        expect(read([[value]])).toEqual([[value]]);
        expect(read({ value })).toEqual(Object.assign(Object.create(null) as object, { value }));
        expect(read(value, STEP)).toBe(value);
      }),
    );
  });
});

describe('a value that no literal stands for stops the start', () => {
  it.each([
    [Number.NaN, 'NaN'],
    [Infinity, 'Infinity'],
    [-Infinity, '-Infinity'],
    [10n, 'a bigint'],
    [Symbol('x'), 'a symbol'],
    [() => 1, 'a function'],
    [Object(5) as unknown, 'a Number'],
    [new Map([['a', 1]]), 'a Map'],
    [new Date(0), 'a Date'],
  ])('%s, anywhere', (value, named) => {
    for (const given of [value, [value], [[value]], { value }]) {
      for (const typed of [undefined, { directive: 'note', name: 'any' }])
        expect(() => argument(given, typed)).toThrow(`Query.x: an argument cannot be ${named}`);
    }
    expect(() => argument(value, STEP)).toThrow(`Query.x: an argument cannot be ${named}`);
  });

  it.each([
    [[[undefined]], 'undefined'],
    [[['admin', undefined]], 'undefined'],
    [[[, 'admin']], 'undefined'],
    [[[Number.NaN]], 'NaN'],
    [[new Set(['admin'])], 'a Set'],
  ])('a scope that is missing from %o does not permit everyone', (scopes, named) => {
    for (const typed of [undefined, SCOPES])
      expect(() => argument(scopes, typed)).toThrow(`Query.x: an argument cannot be ${named}`);
  });

  it('null among scopes stays, and is refused', () => {
    expect(print(argument([['admin', null]], SCOPES))).toBe('[["admin", null]]');
    expect(() => codeFirst(GraphQLFloat, { requiresScopes: { scopes: [['admin', null]] } })).toThrow(
      '"scopes" must be a list of lists of strings',
    );
  });

  it('one that contains itself', () => {
    const loop: unknown[] = [];
    loop.push(loop);
    expect(() => argument(loop)).toThrow('nested too deeply');
    expect(() => argument(loop, SCOPES)).toThrow('nested too deeply');
  });
});

describe('a definition gives an argument its form', () => {
  it.each([
    ['LOW', 'level', 'LOW'],
    [{ level: 'HIGH', size: 1e21, other: undefined }, 'box', '{level: HIGH, size: 1e+21}'],
    [{ level: 'NONE' }, 'box', '{level: "NONE"}'],
    [null, 'level', 'null'],
    [{ a: [1e21] }, 'any', '{a: [1e+21]}'],
  ])('%o', (value, name, text) => {
    expect(print(argument(value, { directive: 'note', name })).replace(/\s+/g, ' ')).toBe(text);
  });

  it.each([[true], ['100'], [false]])('but a step that is no number stays %o, and is refused', (step) => {
    expect(valueFromASTUntyped(argument(step, STEP))).toBe(step);
    expect(() => codeFirst(GraphQLFloat, minimized({ to: 'GENERALIZE', step }))).toThrow(
      '"step" must be a number above 0',
    );
  });
});
