import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { projectPath } from '@behalf/example/internal';
import { testedSubgraph } from './support.js';

/** One row of a table: a function of another system. */
interface Row {
  readonly name: string;
  readonly text: string;
  readonly example: string;
}

/** What stands for a result that depends on the key. */
const KEYED = '…';
const EXAMPLE =
  /^`(?<type>[A-Za-z]+!?|\[Group!\]!) (?<directive>@minimize\(.*\))`: `(?<value>.*)` → `(?<result>.*)`$/;
const WITHOUT = /^(?:nothing(?: yet)?[,:]? ?|`?@|a rule|by scope)/;

function tables(): ReadonlyMap<string, readonly Row[]> {
  const page = readFileSync(projectPath('docs/explanation/minimization-elsewhere.md'), 'utf8');
  const sections = page.split(/^## /m).slice(1);
  return new Map(
    sections.map((section) => {
      const rows = section
        .split('\n')
        .filter((line) => line.startsWith('|'))
        .slice(2)
        .map((line) => line.split('|').map((cell) => cell.trim()))
        .map(([, name = '', text = '', example = '']): Row => ({ name, text, example }));
      return [section.slice(0, section.indexOf('\n')), rows];
    }),
  );
}

/** People of whom each has a row, such as `Graz 3, Linz 2`: in groups, by their names. */
async function grouped(directive: string, text: string): Promise<string> {
  const rows = text.split(', ').flatMap((group) => {
    const [name = '', size = ''] = group.split(' ');
    return Array.from({ length: Number(size) }, (_, index) => ({ name, person: `${name} ${index}` }));
  });
  const subgraph = testedSubgraph(
    `type Group @public { name: String count: Int! } type Query { x: [Group!]! @public ${directive} }`,
    { Query: { x: () => rows } },
  );
  const { data, errors } = await subgraph.ask('{ x { name count } }', {});
  expect(errors).toBeUndefined();
  const groups = data?.x as readonly { readonly name: string; readonly count: number }[];
  return groups.map(({ count, name }) => `${name} ${count}`).join(', ');
}

async function minimized(type: string, directive: string, text: string): Promise<unknown> {
  if (type.startsWith('[')) return grouped(directive, text);
  const isText = type.startsWith('String') || type.startsWith('ID');
  const value: unknown = isText ? text : JSON.parse(text);
  const subgraph = testedSubgraph(`type Query { x: ${type} @public ${directive} }`, {
    Query: { x: () => value },
  });
  const { data, errors } = await subgraph.ask('{ x }', {});
  expect(errors).toBeUndefined();
  return data?.x;
}

describe.each([...tables()])('what Behalf has for a function of %s', (_system, rows) => {
  it.each(rows)('$name', async ({ example, text }) => {
    if (example === '') {
      expect(text).toMatch(WITHOUT);
      return;
    }
    const { directive = '', result = '', type = '', value = '' } = EXAMPLE.exec(example)?.groups ?? {};
    expect(directive).not.toBe('');
    const answer = await minimized(type, directive, value);
    if (result !== KEYED) {
      expect(String(answer)).toBe(result);
      return;
    }
    expect(answer).not.toBeNull();
    expect(String(answer)).not.toBe(value);
    expect(await minimized(type, directive, value)).toBe(answer);
  });
});

it('names every function of the five platforms and of Janus', () => {
  const counts = [...tables()].map(([system, rows]) => `${system}: ${rows.length}`);
  expect(counts).toEqual([
    'BigQuery: 12',
    'Snowflake: 5',
    'Immuta: 11',
    'PostgreSQL Anonymizer: 11',
    'Google Sensitive Data Protection: 13',
    'Janus: 5',
  ]);
});
