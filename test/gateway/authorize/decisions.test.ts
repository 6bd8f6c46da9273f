import { describe, expect, it } from 'vitest';
import { Conditions } from '../../../gateway/authorize/conditions.js';
import { FilterRefusals } from '../../../gateway/authorize/filter-refusals.js';
import { Decisions } from '../../../gateway/authorize/decisions.js';
import type { Decision, KnownOperation } from '../../../gateway/authorize/decisions.js';
import type { ClientOperation } from '../../../gateway/authorize/index.js';
import { analyze, clientOf, metBy } from './support.js';

const NOTHING_KEPT = { operations: 0, decisions: 0, bytes: 0 };
const TEXT = '{ me { name email phone } }';

/** Counts the analyses that it makes. */
class Counted {
  analyses = 0;
  readonly decisions: Decisions;

  constructor(cacheBytes = 1_000_000) {
    this.decisions = new Decisions(cacheBytes, (client) => {
      this.analyses += 1;
      return analyze(client);
    });
  }

  decide(
    operation: KnownOperation,
    scopes: readonly string[] = [],
    { variables = {}, keeps = true }: { variables?: Record<string, unknown>; keeps?: boolean } = {},
  ): Decision {
    const { analysis } = operation;
    const conditions = new Conditions(analysis, variables);
    const filters = new FilterRefusals(analysis, variables, undefined);
    return this.decisions.decide(operation, metBy(analysis, scopes), conditions, filters, () => keeps);
  }
}

function noFilters({ analysis }: KnownOperation): FilterRefusals {
  return new FilterRefusals(analysis, {}, undefined);
}

describe('an operation', () => {
  it('is analysed again until it is kept', () => {
    const counted = new Counted();
    counted.decisions.read(clientOf(TEXT));
    expect(counted.decisions.kept).toEqual(NOTHING_KEPT);
    const operation = counted.decisions.read(clientOf(TEXT));
    counted.decisions.keep(operation);
    expect(counted.decisions.read(clientOf(TEXT))).toBe(operation);
    expect(counted.analyses).toBe(2);
    expect(counted.decisions.kept).toMatchObject({ operations: 1, decisions: 0 });
  });

  it('stays as it was first kept', () => {
    const { decisions } = new Counted();
    const first = decisions.read(clientOf(TEXT));
    const second = decisions.read(clientOf(TEXT));
    decisions.keep(first);
    decisions.keep(second);
    expect(decisions.read(clientOf(TEXT))).toBe(first);
    expect(decisions.kept.operations).toBe(1);
  });

  it('is not confused with another of its document', () => {
    const { decisions } = new Counted();
    const text = 'query One { me { name } } query Two { open }';
    for (const name of ['One', 'Two']) decisions.keep(decisions.read(clientOf(text, name)));
    for (const name of ['One', 'Two']) {
      const { analysis } = decisions.read(clientOf(text, name));
      expect(analysis.client.operation.name?.value).toBe(name);
    }
    expect(decisions.kept.operations).toBe(2);
  });

  it('is not confused with that of another document', () => {
    const { decisions } = new Counted();
    for (const text of ['{ open }', '{ me { name } }']) decisions.keep(decisions.read(clientOf(text)));
    expect(decisions.kept.operations).toBe(2);
  });
});

describe('a decision', () => {
  it('is found again by who meets the same requirements', () => {
    const counted = new Counted();
    const operation = counted.decisions.read(clientOf(TEXT));
    const decision = counted.decide(operation, ['email']);
    expect(decision.denials.map(({ coordinate }) => coordinate)).toEqual(['Person.phone']);
    expect(counted.decide(operation, ['email', 'boss'])).toBe(decision);
    expect(counted.decisions.kept.decisions).toBe(1);
  });

  it('is not found by who meets others', () => {
    const counted = new Counted();
    const operation = counted.decisions.read(clientOf(TEXT));
    const denied = [[], ['email'], ['phone'], ['email', 'phone']].map((scopes) =>
      counted.decide(operation, scopes).denials.map(({ coordinate }) => coordinate),
    );
    expect(denied).toEqual([['Person.email', 'Person.phone'], ['Person.phone'], ['Person.email'], []]);
    expect(counted.decisions.kept).toMatchObject({ operations: 1, decisions: 4 });
  });

  it('is not found under other conditions', () => {
    const counted = new Counted();
    const text = 'query ($hide: Boolean!) { me { name email @skip(if: $hide) } }';
    const operation = counted.decisions.read(clientOf(text));
    const [shown, hidden] = [false, true].map((hide) =>
      counted.decide(operation, [], { variables: { hide } }),
    );
    expect(shown?.denials).toHaveLength(1);
    expect(hidden?.denials).toEqual([]);
  });

  it('is not found by another operation of the same requirements', () => {
    const counted = new Counted();
    const one = counted.decide(counted.decisions.read(clientOf('{ me { email } }')));
    const other = counted.decide(counted.decisions.read(clientOf('{ me { name email } }')));
    expect(other).not.toBe(one);
  });

  it('is not found once its operation was analysed anew', () => {
    const counted = new Counted();
    const { decisions } = counted;
    const old = counted.decide(decisions.read(clientOf(TEXT)));
    // Nobody has kept the other analysis, as after the eviction of the first.
    const operation = { ...decisions.read(clientOf(TEXT)), analysis: analyze(clientOf(TEXT)) };
    const decision = counted.decide(operation);
    expect(decision).not.toBe(old);
    expect(decision.analysis).toBe(operation.analysis);
    const { selections } = operation.analysis.client.operation.selectionSet;
    expect(decision.filtered.removals.size).toBe(2);
    expect(selections[0]).toHaveProperty('selectionSet.selections', [
      expect.anything(),
      ...decision.filtered.removals.keys(),
    ]);
    expect(decisions.kept.decisions).toBe(1);
    expect(counted.decide(operation)).toBe(decision);
  });

  it('permits only what is exactly true', () => {
    const { decisions } = new Counted();
    const operation = decisions.read(clientOf(TEXT));
    const conditions = new Conditions(operation.analysis, {});
    const { denials } = decisions.decide(operation, [], conditions, noFilters(operation), () => false);
    expect(denials.map(({ coordinate }) => coordinate)).toEqual(['Person.email', 'Person.phone']);
  });

  it('is kept with its operation, if it may be', () => {
    const counted = new Counted();
    const operation = counted.decisions.read(clientOf(TEXT));
    const first = counted.decide(operation, [], { keeps: false });
    expect(counted.decisions.kept).toEqual(NOTHING_KEPT);
    const second = counted.decide(operation);
    expect(second).not.toBe(first);
    expect(second.denials).toEqual(first.denials);
    expect(counted.decisions.kept).toMatchObject({ operations: 1, decisions: 1 });
    expect(counted.decisions.read(clientOf(TEXT))).toBe(operation);
  });

  it('may be kept or not by what is left to execute', () => {
    const { decisions } = new Counted();
    const seen: unknown[] = [];
    const operation = decisions.read(clientOf('{ boss { name } }'));
    const conditions = new Conditions(operation.analysis, {});
    const decision = decisions.decide(operation, [false], conditions, noFilters(operation), (filtered) => {
      seen.push(filtered);
      return filtered.execute !== undefined;
    });
    expect(seen).toEqual([decision.filtered]);
    expect(decisions.kept).toEqual(NOTHING_KEPT);
  });
});

// Each entry has 1,000 bytes, two per character of its key, and so many per character of the document.
describe('the bytes', () => {
  const bytesOf = (key: string, text: string, perCharacter: number): number =>
    1_000 + 2 * key.length + perCharacter * text.length;
  const kept = (text: string, scopes: readonly string[] | undefined): number => {
    const counted = new Counted();
    const operation = counted.decisions.read(clientOf(text));
    if (scopes === undefined) counted.decisions.keep(operation);
    else counted.decide(operation, scopes);
    return counted.decisions.kept.bytes;
  };

  it.each<[string, string, string]>([
    ['without a name', TEXT, ''],
    ['with a name', `query Named ${TEXT}`, 'Named'],
  ])('of an operation %s are those of its document and its analysis', (_which, text, name) => {
    expect(kept(text, undefined)).toBe(bytesOf(`${text} ${name}`, text, 240));
  });

  it('of a decision are added', () => {
    const key = `${TEXT} `;
    expect(kept(TEXT, ['phone'])).toBe(bytesOf(key, TEXT, 240) + bytesOf(`${key} 01  `, TEXT, 40));
  });

  it('are limited for the operations, and for the decisions by themselves', () => {
    // Room for one of each.
    const counted = new Counted(bytesOf(`${TEXT} `, TEXT, 240));
    const operation = counted.decisions.read(clientOf(TEXT));
    counted.decide(operation);
    expect(counted.decisions.kept).toMatchObject({ operations: 1, decisions: 1 });
    counted.decisions.keep(counted.decisions.read(clientOf(TEXT.replace('name', 'nick'))));
    expect(counted.decisions.kept).toMatchObject({ operations: 1, decisions: 1 });
    expect(counted.decisions.read(clientOf(TEXT))).not.toBe(operation);
  });

  it('are none if nothing fits', () => {
    const counted = new Counted(1);
    const operation = counted.decisions.read(clientOf(TEXT));
    const decision = counted.decide(operation);
    expect(counted.decisions.kept).toEqual(NOTHING_KEPT);
    expect(counted.decide(operation)).not.toBe(decision);
  });
});

it('is asked with an operation that a program wrote', () => {
  const counted = new Counted();
  const { document, operation, queryHash } = clientOf('{open}');
  const { loc: _, ...withoutText } = document;
  const client: ClientOperation = { document: withoutText, operation, queryHash };
  // As printed: three lines.
  expect(counted.decisions.read(client).characters).toBe('{\n  open\n}'.length);
});
