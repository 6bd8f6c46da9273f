import { describe, expect, it } from 'vitest';
import { composeSupergraph } from '../../gateway/compose/compose.js';
import { ComposeError } from '../../gateway/compose/errors.js';
import { LINKS, testedSubgraph } from '../directives/support.js';

// Whatever the start of a subgraph refuses, its composition refuses as well: it comes first, in CI.

const ARGUMENTS = [
  'to: REDACT',
  'to: MASK, last: 2, showLength: true',
  'to: TRUNCATE, keep: 2',
  'to: PSEUDONYMIZE',
  'to: NOISE, spread: 9',
  'to: NOISE, spread: 9, step: 0.5',
  'to: NOISE, spread: 1, step: 1',
  'to: GENERALIZE, step: 2.5',
  'to: GENERALIZE, step: 4294967296',
  'to: GENERALIZE, decimals: 2',
  'to: GENERALIZE, decimals: 400',
  'to: GENERALIZE, step: 0',
  'to: GENERALIZE, unit: DAY',
  'to: GENERALIZE, unit: DAY, timeZone: "Europe/Nowhere"',
  'to: GENERALIZE, hierarchy: [["RED", "BLUE", "PINK"]]',
  'to: GENERALIZE, hierarchy: [["RED", "GREEN"]]',
];
const TYPES = [
  'Int',
  'Int!',
  '[Int!]',
  'Float',
  'String!',
  'ID',
  'Boolean',
  'BigInt',
  'BigInt!',
  'Date',
  'Color',
  'Other',
];
const DEFINITIONS =
  'scalar BigInt scalar Date enum Color { RED BLUE } extend enum Color { PINK } type Other @public { y: Int }';

function startFailure(sdl: string): string | undefined {
  try {
    testedSubgraph(sdl);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function composeFailure(sdl: string): string | undefined {
  try {
    composeSupergraph([{ name: 'one', url: 'http://one', sdl: LINKS + sdl }]);
    return undefined;
  } catch (error) {
    if (!(error instanceof ComposeError)) throw error;
    return error.details.join();
  }
}

describe.each(TYPES)('a field of type %s', (type) => {
  it.each(ARGUMENTS)('composes with @minimize(%s) if its subgraph starts', (by) => {
    const sdl = `${DEFINITIONS} type Query { x: ${type} @public @minimize(${by}) }`;
    const refused = startFailure(sdl);
    if (refused === undefined) expect(composeFailure(sdl)).toBeUndefined();
    else expect(composeFailure(sdl)).toContain(`INVALID_RULE: [one] ${refused}`);
  });
});

it.each([
  ['an extended type', 'type Query { z: Int @public } extend type Query { x: Int @public @minimize(BY) }'],
  ['another name of the root', 'schema { query: Root } type Root { x: Int @public @minimize(BY) }'],
])('a step that does not fit is refused on %s', (_where, sdl) => {
  const unfit = sdl.replace('BY', 'to: GENERALIZE, step: 2.5');
  expect(startFailure(unfit)).toContain('does not fit a field of type Int');
  expect(composeFailure(unfit)).toContain('does not fit a field of type Int');
  const fit = sdl.replace('BY', 'to: GENERALIZE, step: 5');
  expect([startFailure(fit), composeFailure(fit)]).toEqual([undefined, undefined]);
});
