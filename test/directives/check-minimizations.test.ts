import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { RuleTable } from '../../directives/src/decide/rule-table.js';
import { checkMinimizations } from '../../directives/src/minimize/check-minimizations.js';
import { LINKS } from './support.js';

function check(sdl: string): void {
  const document = parse(`${LINKS} ${sdl}`);
  checkMinimizations(document, new RuleTable(document, { coverage: 'open' }));
}

describe('the text of a schema is enough to see that a minimization does not fit', () => {
  it.each<[string, string, string]>([
    ['a number', 'type Query { x: Int @public @minimize(to: MASK) }', 'Query.x'],
    ['a list', 'type Query { x: [[Int!]]! @public @minimize(to: MASK) }', 'Query.x'],
    ['an object', 'type Query { x: Row @public @minimize(to: MASK) } type Row { a: ID @public }', 'Query.x'],
    ['a later field', 'type Query { a: ID @public b: Int @public @minimize(to: TRUNCATE) }', 'Query.b'],
    ['a later type', 'type Query { a: ID @public } type Row { b: Int @public @minimize(to: MASK) }', 'Row.b'],
    [
      'an extension',
      'type Query { a: ID @public } extend type Query { b: Int @public @minimize(to: MASK) }',
      'Query.b',
    ],
    [
      'a scalar of integers',
      'scalar Long type Query { x: Long @public @minimize(to: GENERALIZE, step: 0.5) }',
      'Query.x',
    ],
    [
      'null where it may not be',
      'scalar Day type Query { x: Day! @public @minimize(to: REDACT) }',
      'Query.x',
    ],
    [
      'a default where there is none',
      'scalar Day type Query { x: [Day!] @public @minimize(to: REDACT) }',
      'Query.x',
    ],
  ])('for %s', (_what, sdl, coordinate) => {
    expect(() => check(sdl)).toThrow(expect.objectContaining({ code: 'INVALID_RULE', coordinate }));
  });

  it.each([
    'type Query { x: String @public @minimize(to: MASK) y: [ID!]! @public @minimize(to: PSEUDONYMIZE) }',
    'scalar Day type Query { x: Day @public @minimize(to: GENERALIZE, unit: YEAR) }',
    'type Query { x: Int! @public @minimize(to: REDACT) y: Int @public } interface Row { a: Int @public }',
    'type Query { x: [Float] @public @minimize(to: NOISE, spread: 10) }',
    'scalar String type Query { x: String @public @minimize(to: MASK) }',
  ])('and not where it does: %s', (sdl) => {
    expect(() => check(sdl)).not.toThrow();
  });
});
