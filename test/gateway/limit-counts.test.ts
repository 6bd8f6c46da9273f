import fc from 'fast-check';
import { Kind, parse, print } from 'graphql';
import type { DocumentNode, OperationDefinitionNode, SelectionSetNode } from 'graphql';
import { describe, expect, it } from 'vitest';
import { countDocument } from '../../gateway/limit/count.js';
import type { OperationCounts } from '../../gateway/limit/count.js';
import { countOverlaps } from '../../gateway/limit/overlaps.js';
import { scanText } from '../../gateway/limit/scan.js';
import { countValues } from '../../gateway/limit/values.js';

function operationOf(document: DocumentNode): OperationDefinitionNode {
  const operation = document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
  if (operation === undefined) throw new Error('no operation');
  return operation;
}

/** Counts by writing every fragment out: slow, but simple. */
function countWrittenOut(document: DocumentNode): OperationCounts {
  const fragments = new Map(
    document.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
    ),
  );
  const operation = operationOf(document);
  const total = { selections: 0, depth: 0, nesting: 0, rootFields: 0, aliases: 0, directives: 0 };
  walk(operation.selectionSet, 0, 1);
  return { ...total, variables: operation.variableDefinitions?.length ?? 0 };

  function walk(set: SelectionSetNode, depth: number, nesting: number): void {
    total.nesting = Math.max(total.nesting, nesting);
    for (const selection of set.selections) {
      total.selections += 1;
      total.directives += selection.directives?.length ?? 0;
      if (selection.kind === Kind.FIELD) {
        total.depth = Math.max(total.depth, depth + 1);
        if (depth === 0) total.rootFields += 1;
        if (selection.alias !== undefined) total.aliases += 1;
        if (selection.selectionSet !== undefined) walk(selection.selectionSet, depth + 1, nesting + 1);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) walk(selection.selectionSet, depth, nesting + 1);
      else {
        const fragment = fragments.get(selection.name.value);
        total.directives += fragment?.directives?.length ?? 0;
        if (fragment !== undefined) walk(fragment.selectionSet, depth, nesting + 1);
      }
    }
  }
}

const FRAGMENTS = 4;

/** Selection sets that spread only fragments with a higher number, which excludes cycles. */
function selectionSets(from: number): fc.Arbitrary<string> {
  const directive = fc.constantFrom('', '', ' @skip(if: false)', ' @include(if: $a)');
  const { set } = fc.letrec<{ set: string; selection: string }>((tie) => ({
    set: fc.array(tie('selection'), { minLength: 1, maxLength: 4 }).map((all) => `{ ${all.join(' ')} }`),
    selection: fc.oneof(
      { maxDepth: 4 },
      fc.tuple(fc.constantFrom('f', 'a: f', 'b: g'), directive).map(([field, on]) => `${field}${on}`),
      from < FRAGMENTS
        ? fc.tuple(fc.integer({ min: from, max: FRAGMENTS - 1 }), directive).map(([n, on]) => `...F${n}${on}`)
        : fc.constant('g'),
      fc.tuple(fc.constantFrom('f', 'c: f'), directive, tie('set')).map(([f, on, set]) => `${f}${on} ${set}`),
      fc.tuple(directive, tie('set')).map(([on, set]) => `...${on} ${set}`),
    ),
  }));
  return set;
}

const documents = fc
  .tuple(selectionSets(0), ...Array.from({ length: FRAGMENTS }, (_, index) => selectionSets(index + 1)))
  .map(([root, ...fragments]) =>
    [`query ($a: Boolean!) ${root}`, ...fragments.map((set, index) => `fragment F${index} on T ${set}`)].join(
      ' ',
    ),
  );

describe('counting a document', () => {
  it('equals writing every fragment out (property)', () => {
    fc.assert(
      fc.property(documents, (text) => {
        const document = parse(text);
        expect(countDocument(document).operations.get(operationOf(document))).toEqual(
          countWrittenOut(document),
        );
      }),
    );
  });

  it('is unchanged by reprinting the text (property)', () => {
    fc.assert(
      fc.property(documents, (text) => {
        const document = parse(text);
        const again = parse(print(document));
        expect(countDocument(again).largest).toEqual(countDocument(document).largest);
      }),
    );
  });

  it('ends quickly for fragments that double a hundred times', () => {
    const text = `{ ...F0 } ${Array.from({ length: 100 }, (_, i) => `fragment F${i} on T { ${i < 99 ? `a: f { ...F${i + 1} } b: f { ...F${i + 1} }` : 'f'} }`).join(' ')}`;
    const { largest, selections } = countDocument(parse(text));
    expect(selections).toBe(Number.MAX_SAFE_INTEGER);
    expect(largest).toMatchObject({ aliases: Number.MAX_SAFE_INTEGER, depth: 100 });
  });

  it.each([
    '{ ...A } fragment A on T { ...A }',
    '{ f } fragment A on T { f { ...B } } fragment B on T { ... { ...A } }',
    '{ ...A } fragment A on T { ...B ...C } fragment B on T { f } fragment C on T { f { ...A } }',
  ])('refuses cyclic fragments: %s', (text) => {
    expect(() => countDocument(parse(text))).toThrow(/within itself/);
  });
});

describe('counting overlaps', () => {
  it.each([
    ['{ a b c }', 0],
    ['{ a a }', 1],
    ['{ a a a }', 3],
    ['{ a { b } a { b } }', 2],
    ['{ a { b } a { c } }', 1],
    ['{ a { b b } a { b b } }', 1 + 6],
    ['{ a ...F } fragment F on T { a }', 1],
    ['{ x: a(l: [1, 2]) x: b }', 4],
  ])('%s', (text, pairs) => {
    const document = parse(text);
    expect(countOverlaps(document, countDocument(document).roots)).toBe(pairs);
  });
});

describe('scanning a text', () => {
  it('counts the parser’s tokens, and comments (property)', () => {
    fc.assert(
      fc.property(
        documents,
        fc.array(fc.constantFrom('#x\n', ' ', '\n', ','), { maxLength: 9 }),
        (text, noise) => {
          const whole = text + noise.join('');
          const document = parse(whole);
          let tokens = 0;
          for (let token = document.loc?.startToken.next; token; token = token.next) tokens += 1;
          expect(scanText(whole).tokens).toBe(tokens - 1);
        },
      ),
    );
  });

  it.each([
    ['{ a { b { c } } }', 3],
    ['{ a(x: [[1]]) { b } }', 4],
    ['query ($v: [[[Int]]]) { a }', 4],
    ['{ a(x: "{{{{{{{{") # {{{{{{{{', 2],
    ['}}}} {', 0],
  ])('measures how deep brackets nest: %s', (text, nesting) => {
    expect(scanText(text).nesting).toBe(nesting);
  });
});

describe('counting values', () => {
  it('equals a plain recursion (property)', () => {
    const plain = (value: unknown): { values: number; nesting: number } => {
      if (typeof value !== 'object' || value === null) return { values: 0, nesting: 0 };
      const members = Object.values(value).map(plain);
      return {
        values: members.length + members.reduce((sum, { values }) => sum + values, 0),
        nesting: 1 + Math.max(0, ...members.map(({ nesting }) => nesting)),
      };
    };
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(countValues(value)).toEqual(plain(value));
      }),
    );
  });

  it('does not overflow the stack at any depth', () => {
    const deep = JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`) as unknown;
    expect(countValues(deep)).toEqual({ values: 199_999, nesting: 200_000 });
  });
});
