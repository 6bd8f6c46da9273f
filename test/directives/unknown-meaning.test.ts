import { completeSubgraph, RuleTable } from '@behalf/directives/internal';
import { parse } from 'graphql';
import { expect, it, vi } from 'vitest';
import { LINKS } from './support.js';

// A directive of a later version whose author forgot its case in the rule table, which would not compile.
vi.mock('../../directives/src/specification/authenticated.js', () => ({
  authenticated: {
    name: 'authenticated',
    identities: ['https://specs.apollo.dev/federation'],
    composed: true,
    protects: true,
    compile: () => ({ kind: 'approval' }),
  },
}));

it.each([
  ['on a field', 'type Query { x: Int @authenticated }', 'Query.x'],
  ['on a type', 'type Query { x: Int @public } type T @authenticated { y: Int }', 'T'],
])('a directive without a known meaning stops the start: %s', (_, sdl, coordinate) => {
  const document = completeSubgraph(parse(LINKS + sdl));
  expect(() => new RuleTable(document, { coverage: 'open' })).toThrow(
    expect.objectContaining({
      code: 'UNKNOWN_DIRECTIVE',
      message: expect.stringContaining(
        `${coordinate}: a rule of the kind "approval" has no meaning here`,
      ) as string,
    }),
  );
});
