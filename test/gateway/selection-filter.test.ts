import { FilterInputs, RuleTable } from '@behalf/directives/internal';
import { buildSchema, Kind, parse, print } from 'graphql';
import type { FieldNode, OperationDefinitionNode } from 'graphql';
import { describe, expect, it } from 'vitest';
import { analyzeOperation } from '../../gateway/authorize/analysis.js';
import type { OperationAnalysis } from '../../gateway/authorize/analysis.js';
import { Conditions } from '../../gateway/authorize/conditions.js';
import { SelectionFilter } from '../../gateway/authorize/selection-filter.js';
import type { Remainder } from '../../gateway/authorize/selection-filter.js';

const LINKS =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@authenticated"]) ';
const SDL = 'type Query { me: Me open: Int } type Me { name: String secret: String @authenticated }';
const schema = buildSchema(SDL.replace('@authenticated', ''));
const rules = new RuleTable(parse(LINKS + SDL), { coverage: 'open' });

function operationOf(query: string): OperationDefinitionNode {
  const [first] = parse(query).definitions;
  if (first?.kind !== Kind.OPERATION_DEFINITION) throw new Error('no operation');
  return first;
}

function analysisOf(query: string): OperationAnalysis {
  const client = { document: parse(query), operation: operationOf(query), queryHash: '' };
  return analyzeOperation(client, schema, rules, new Set(), new FilterInputs(schema, rules.filters));
}

/** Filters an operation by the analysis, which may be of another one. */
function filtered(
  analysis: OperationAnalysis,
  more: Partial<OperationAnalysis> = {},
): { readonly text: string; readonly remainder: Remainder; readonly removed: readonly string[] } {
  const whole = { ...analysis, ...more };
  const filter = new SelectionFilter(whole, () => false, new Conditions(whole, {}));
  const remainder = filter.filter();
  const removed = [...filter.removals].map(
    ([{ name }, why]: readonly [FieldNode, string]) => `${name.value} ${why}`,
  );
  return { text: remainder.selections.map((each) => print(each)).join(' '), remainder, removed };
}

/** Another operation than the analyzed one. */
function unseen(query: string): ReturnType<typeof filtered> {
  const analysis = analysisOf('{ open }');
  return filtered(analysis, { client: { ...analysis.client, operation: operationOf(query) } });
}

describe('what the analysis did not see', () => {
  it.each(['open', 'me { name }', '__typename', '__types', '_schema'])(
    'has no permission: %s',
    (selection) => {
      const { text, removed } = unseen(`{ ${selection} }`);
      expect(text).toBe('');
      expect(removed).toEqual([`${selection.split(' ')[0] ?? ''} denied`]);
    },
  );

  it.each(['__schema', '__type'])('is introspection, which has its own rule: %s', (name) => {
    const { removed, remainder } = unseen(`{ ${name} { name } }`);
    expect(removed).toEqual([]);
    expect(remainder).toMatchObject({ live: true, lost: false });
    // Nothing inside is looked at.
    expect(remainder.selections).toHaveLength(1);
  });
});

describe('a fragment', () => {
  const query = '{ open ...F }';

  it('that does not exist is nothing', () => {
    const analysis = analysisOf('{ open }');
    const operation = operationOf(`${query} fragment F on Query { open }`);
    const { selections } = operation.selectionSet;
    const parentOf = new Map(
      selections.flatMap((each) => {
        const type = schema.getQueryType();
        return each.kind === Kind.FIELD && type ? [[each, type] as const] : [];
      }),
    );
    const { text, remainder } = filtered(analysis, {
      client: { ...analysis.client, operation },
      parentOf,
      fragments: new Map(),
    });
    expect(text).toBe('open');
    expect(remainder).toMatchObject({ live: true, lost: false });
  });

  it('that spreads itself is nothing, and comes to an end', () => {
    const analysis = analysisOf(`${query} fragment F on Query { ...F }`);
    const { text } = filtered(analysis);
    expect(text).toBe('open');
  });
});

describe('a field whose selections are removed', () => {
  it('is emptied, and so is not executed', () => {
    const { text, removed, remainder } = filtered(analysisOf('{ me { secret } }'));
    expect(text).toBe('');
    expect(removed).toEqual(['secret denied', 'me emptied']);
    expect(remainder).toMatchObject({ live: false, lost: true });
  });

  it('in an inline fragment, leaves no fragment', () => {
    const { text, removed } = filtered(analysisOf('{ open me { ... { secret } } }'));
    expect(text).toBe('open');
    expect(removed).toEqual(['secret denied', 'me emptied']);
  });

  it('stays for what is left', () => {
    const { text, removed } = filtered(analysisOf('{ me { secret name } }'));
    expect(text.replace(/\s+/g, ' ')).toBe('me { name }');
    expect(removed).toEqual(['secret denied']);
  });
});
