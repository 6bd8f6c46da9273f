import { RuleTable } from '@behalf/directives/internal';
import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { JoinMetadata } from '../../../gateway/supergraph/join.js';
import { checkProtection, lostProtectionText } from '../../../gateway/supergraph/lost-protection.js';
import { PossibleTypes } from '../../../gateway/supergraph/possible-types.js';
import { Resolvers } from '../../../gateway/supergraph/resolvers.js';
import { subgraphRules } from '../../../gateway/supergraph/statements.js';
import { composedElsewhere } from './composed-elsewhere.js';

const documentOf = (types: string, more?: string) =>
  parse(composedElsewhere(`type Query { a: Int } ${types}`, more));

function lost(types: string, more?: string): string[] {
  const document = documentOf(types, more);
  return checkProtection(document, new RuleTable(document, { coverage: 'open' })).map(lostProtectionText);
}

const BOTH = '@join__type(graph: ONE, key: "id") @join__type(graph: TWO, key: "id")';
const ONE = '@join__field(graph: ONE)';
const TWO = '@join__field(graph: TWO)';
const statedBy = (...names: readonly string[]): string =>
  `@behalf__statedBy(subgraphs: ${JSON.stringify(names)})`;

it('the rules that subgraphs enforce are those of rows and of minimized values', () => {
  const document = documentOf(`
    interface I { id: ID! secret: Int }
    type T implements I ${BOTH} @subject(field: "id") {
      id: ID!
      secret: Int @join__field(graph: TWO, override: "one") @minimize(to: REDACT)
      asked: Int @authenticated
    }`);
  const rules = new RuleTable(document, { coverage: 'open' });
  const resolvers = new Resolvers(new JoinMetadata(document), rules, new PossibleTypes(rules));
  expect(subgraphRules(rules, resolvers)).toEqual([
    {
      coordinate: 'T',
      type: 'T',
      field: undefined,
      text: '@subject(field: "id")',
      resolvers: new Set(['one', 'two']),
      overridden: new Set(),
    },
    {
      coordinate: 'T.secret',
      type: 'T',
      field: 'secret',
      text: '@minimize(to: REDACT)',
      resolvers: new Set(['two']),
      overridden: new Set(['one']),
    },
  ]);
});

describe('a rule that nobody is recorded to state', () => {
  const minimized = (joins: string): string[] =>
    lost(`type T ${BOTH} { id: ID! secret: Int ${joins} @minimize(to: REDACT) }`);
  const text = (who: string): string =>
    `STATEMENTS_UNRECORDED: T.secret: ${who}, and the supergraph does not say who states @minimize(to: REDACT): compose it with \`behalf compose\``;

  it('is known to be kept where one subgraph resolves it', () => {
    expect(minimized(ONE)).toEqual([]);
    expect(minimized('@join__field(graph: TWO, override: "legacy")')).toEqual([]);
  });

  it('is not where several resolve it, or have resolved it', () => {
    expect(minimized('')).toEqual([text('one, two can resolve it')]);
    expect(minimized('@join__field(graph: TWO, override: "one")')).toEqual([
      text('two can resolve it in the place of one'),
    ]);
    const shared =
      '@join__field(graph: ONE, overrideLabel: "x") @join__field(graph: TWO, override: "one", overrideLabel: "x")';
    expect(minimized(shared)).toEqual([text('one, two can resolve it')]);
  });
});

describe('a rule that is recorded', () => {
  const minimized = (joins: string, record: string, more?: string): string[] =>
    lost(`type T ${BOTH} { id: ID! secret: Int ${joins} @minimize(to: REDACT) ${record} }`, more);
  const differs = (name: string): string =>
    `SHARED_MINIMIZATION_DIFFERS: [${name}] T.secret: it can resolve it and does not state @minimize(to: REDACT)`;

  it('is kept when all state it that resolve it', () => {
    expect(minimized('', statedBy('one', 'two'))).toEqual([]);
    expect(minimized(ONE, statedBy('one'))).toEqual([]);
    expect(minimized('', `${statedBy('one')} ${statedBy('two')}`)).toEqual([]);
  });

  it('is lost by each that resolves it and does not state it', () => {
    expect(minimized('', statedBy('one'))).toEqual([differs('two')]);
    expect(minimized('', statedBy())).toEqual([differs('one'), differs('two')]);
    expect(minimized('', '@behalf__statedBy(subgraphs: "one")')).toEqual([differs('one'), differs('two')]);
  });

  it('contradicts the supergraph when it names one that cannot resolve it', () => {
    expect(minimized(ONE, statedBy('one', 'two'))).toEqual([
      'STATEMENTS_CONTRADICT: [two] T.secret: it is recorded to state @minimize(to: REDACT), and cannot resolve it',
    ]);
  });

  it('is not read from a directive of another specification', () => {
    expect(
      minimized(
        '',
        '@other__statedBy(subgraphs: ["one", "two"])',
        '@link(url: "https://other.example/other/v1.0")',
      ),
    ).toEqual([expect.stringContaining('STATEMENTS_UNRECORDED')]);
  });

  it('contradicts the supergraph where there is no rule', () => {
    const text = (coordinate: string): string =>
      `STATEMENTS_CONTRADICT: ${coordinate}: it has a record and no rule`;
    expect(lost(`type T ${BOTH} ${statedBy('one')} { id: ID! secret: Int ${statedBy('one')} }`)).toEqual([
      text('T'),
      text('T.secret'),
    ]);
    expect(lost(`interface I ${statedBy()} { id: ID! ${statedBy('one')} }`)).toEqual([
      text('I'),
      text('I.id'),
    ]);
  });
});

describe('the rows of a subject', () => {
  const rows = (fields: string, keys: string = BOTH, record = statedBy('one', 'two')): string[] =>
    lost(`type T ${keys} @subject(field: "owner") ${record} { id: ID! owner: ID ${ONE} ${fields} }`);
  const text = (fields: string): string =>
    `SUBJECT_NOT_RECEIVED: [two] T: it resolves ${fields} and is given "owner", the owner, neither by a @key nor by @requires`;
  const given = '@join__field(graph: TWO, requires: "owner")';

  it('are lost by a subgraph that resolves fields of them and does not state it', () => {
    expect(rows(`f: Int ${given}`, BOTH, statedBy('one'))).toEqual([
      'SHARED_SUBJECT_DIFFERS: [two] T: it can resolve fields of it and does not state @subject(field: "owner")',
    ]);
  });

  it('are refused where a subgraph resolves fields of them without the owner', () => {
    expect(rows(`f: Int ${TWO}`)).toEqual([text('f')]);
    expect(rows(`f: Int ${given} g: Int ${TWO}`)).toEqual([text('g')]);
    expect(rows(`a: Int ${TWO} b: Int ${TWO} c: Int ${TWO} d: Int ${TWO}`)).toEqual([text('a, b, c')]);
  });

  it('are kept where the owner is given by @requires or a key, or resolved there', () => {
    expect(rows(`f: Int ${given}`)).toEqual([]);
    expect(rows(`f: Int ${TWO}`, `${BOTH} @join__type(graph: TWO, key: "owner")`)).toEqual([]);
    const both = `type T ${BOTH} @subject(field: "owner") ${statedBy('one', 'two')} { id: ID! owner: ID f: Int ${TWO} }`;
    expect(lost(both)).toEqual([]);
  });

  it('are left to the subgraph where the owner is not a field', () => {
    const hidden = `type T ${BOTH} @subject(field: "holder") ${statedBy('one', 'two')} { id: ID! f: Int ${TWO} g: Int ${ONE} }`;
    expect(lost(hidden)).toEqual([]);
  });

  it('are reported once, whatever else of them is minimized', () => {
    expect(rows(`f: Int ${TWO} @minimize(to: REDACT)`)).toEqual([text('f')]);
  });
});
