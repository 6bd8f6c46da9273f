import fc from 'fast-check';
import { buildSchema, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { settleAnswer } from '../../gateway/exact/answer.js';
import { parseExactJson } from '../../gateway/exact/exact-json.js';
import { ExactNumber } from '../../gateway/exact/exact-number.js';
import { parseRequestJson } from '../../gateway/exact/request.js';

/** The parsed value, with exact numbers as wrapped text. */
const read = (text: string): unknown => shown(parseExactJson(text).value);

function shown(value: unknown): unknown {
  if (value instanceof ExactNumber) return { exact: value.text };
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shown(member)]));
}

/** A JSON number in any spelling. */
const number = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(fc.constant('0'), fc.stringMatching(/^[1-9]\d{0,25}$/)),
    fc.oneof(fc.constant(''), fc.stringMatching(/^\.\d{1,25}$/)),
    fc.oneof(fc.constant(''), fc.stringMatching(/^[eE][+-]?\d{1,4}$/)),
  )
  .map((parts) => parts.join(''));

describe('JSON is read exactly', () => {
  it.each([
    ['9007199254740992', { exact: '9007199254740992' }],
    ['9007199254740993', { exact: '9007199254740993' }],
    ['-9007199254740993', { exact: '-9007199254740993' }],
    ['9007199254740991', 9007199254740991],
    ['[12345678901234567890, 1]', [{ exact: '12345678901234567890' }, 1]],
    ['{"a": {"b": [0.12345678901234567890]}}', { a: { b: [{ exact: '0.12345678901234567890' }] } }],
    ['123456789.123456789', { exact: '123456789.123456789' }],
    ['12345678901234567e3', { exact: '12345678901234567e3' }],
    ['1e400', { exact: '1e400' }],
    ['-1E-400', { exact: '-1E-400' }],
    ['1e20', { exact: '1e20' }],
    ['1.0E-5', 0.00001],
    ['0.30000000000000004', 0.30000000000000004],
    ['1.00000000000000000', 1],
    ['-0.0000000000000000', -0],
    ['0e99999', 0],
    ['"9007199254740993"', '9007199254740993'],
    [
      '{"iban": "SE4550000000058398257466", "n": 9007199254740993}',
      { iban: 'SE4550000000058398257466', n: { exact: '9007199254740993' } },
    ],
    [
      '["say \\"[9007199254740993]\\" twice", 9007199254740993]',
      ['say "[9007199254740993]" twice', { exact: '9007199254740993' }],
    ],
    ['["\\\\", 9007199254740993]', ['\\', { exact: '9007199254740993' }]],
    ['{"a":9007199254740993,"a":1}', { a: 1 }],
  ])('%s', (text, value) => {
    expect(read(text)).toEqual(value);
  });

  it.each([
    '{9007199254740993: 1}',
    '{"a" 9007199254740993}',
    '[9007199254740993 9007199254740993]',
    '[09007199254740993]',
    '[9007199254740993.]',
    '[.9007199254740993]',
    '[+9007199254740993]',
    '[0x9007199254740993]',
    '[1-9007199254740993]',
    '["a"9007199254740993]',
    '["unclosed 9007199254740993]',
    '["bad \\9007199254740993"]',
    '["new\nline", 9007199254740993]',
    '9007199254740993,',
    '[9007199254740993e]',
    'true9007199254740993',
    '[9007199254740993',
    '{"a":9007199254740993,}',
  ])('invalid JSON stays invalid: %j', (text) => {
    expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
    expect(() => parseExactJson(text)).toThrow(SyntaxError);
  });

  it('treats a member called __proto__ like any other', () => {
    const { value } = parseExactJson(
      '{"__proto__": {"a": 9007199254740993}, "constructor": 9007199254740993}',
    );
    expect(Object.keys(value as object)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(({} as { a?: unknown }).a).toBeUndefined();
  });

  it('takes no string for a number, whatever its content', () => {
    expect(read('["exact-number:x:9007199254740993", 9007199254740993]')).toEqual([
      'exact-number:x:9007199254740993',
      { exact: '9007199254740993' },
    ]);
  });

  it('does not overflow the stack at any depth', () => {
    const depth = 200_000;
    const { value } = parseExactJson(`${'['.repeat(depth)}9007199254740993${']'.repeat(depth)}`);
    let inner = value;
    for (let level = 0; level < depth; level += 1) inner = (inner as unknown[])[0];
    expect(inner).toBeInstanceOf(ExactNumber);
  });

  it('equals JSON.parse if nothing is rounded (property)', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), fc.json(), (one, other) => {
        // The second one forces the exact parser.
        const text = `[${one}, ${other}, 9007199254740993]`;
        const rest = (parseExactJson(text).value as unknown[]).slice(0, -1);
        const bigs = /\d[\d.]{15}|\d[eE]/.test(`${one}${other}`);
        if (!bigs) expect(rest).toEqual((JSON.parse(text) as unknown[]).slice(0, -1));
      }),
    );
  });

  it('refuses exactly what JSON.parse refuses (property)', () => {
    const pieces = fc.constantFrom(
      '9007199254740993',
      '1e400',
      '-',
      '.',
      '"',
      '\\',
      '\\"',
      '"a"',
      ':',
      ',',
      '{',
      '}',
      '[',
      ']',
      ' ',
      '\n',
      'null',
      'x',
      '0',
      '"__proto__"',
    );
    const accepts = (parser: (text: string) => unknown, text: string): boolean => {
      try {
        parser(text);
        return true;
      } catch {
        return false;
      }
    };
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        expect(accepts(parseExactJson, text), text).toBe(accepts(JSON.parse, text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('loses no digit of any number, and none twice (property)', () => {
    fc.assert(
      fc.property(number, (text) => {
        const value = parseExactJson(`{"n": ${text}}`).value as { n: number | ExactNumber };
        if (value.n instanceof ExactNumber) expect(value.n.text).toBe(text);
        else expect(exactFraction(String(value.n))).toEqual(exactFraction(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('equal integers have equal digits, and only those (property)', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 2n ** 53n, max: 10n ** 40n }), fc.nat(5), (integer, zeros) => {
        const { value } = parseExactJson(`${integer}.${'0'.repeat(zeros + 1)}`);
        expect((value as ExactNumber).integer).toBe(String(integer));
        expect((parseExactJson(`-${integer}e${zeros}`).value as ExactNumber).integer).toBe(
          String(-integer * 10n ** BigInt(zeros)),
        );
      }),
    );
  });

  it('expands no number beyond the digits of an identifier', () => {
    for (const text of ['1e101', '1e999999999999', `1${'0'.repeat(100)}`])
      expect((parseExactJson(text).value as ExactNumber).integer).toBeUndefined();
  });
});

/** As an integer fraction. */
function exactFraction(text: string): readonly [bigint, bigint] {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const power = Number(exponent) - fraction.length;
  const digits = BigInt(`${whole}${fraction}`);
  return power >= 0 ? [digits * 10n ** BigInt(power), 1n] : reduced(digits, 10n ** BigInt(-power));
}

function reduced(numerator: bigint, denominator: bigint): readonly [bigint, bigint] {
  let [a, b] = [numerator < 0n ? -numerator : numerator, denominator];
  while (b > 0n) [a, b] = [b, a % b];
  return [numerator / a, denominator / a];
}

describe('the body of a request', () => {
  it('has exact numbers only in its variables, so nothing else becomes an object', () => {
    const body = parseRequestJson(
      '[{"query": 9007199254740993, "variables": {"id": 9007199254740993}, "extensions": {"v": 1e20}}, {"variables": 9007199254740993}, 9007199254740993]',
    ) as Record<string, unknown>[];
    expect(shown(body)).toEqual([
      {
        query: '9007199254740993',
        variables: { id: { exact: '9007199254740993' } },
        extensions: { v: 1e20 },
      },
      { variables: '9007199254740993' },
      '9007199254740993',
    ]);
    expect(parseRequestJson('9007199254740993')).toBe('9007199254740993');
  });
});

describe('the numbers of an answer', () => {
  const schema = buildSchema(`
    scalar Long scalar JSON
    type Query { id: ID ids: [[ID]] float: Float int: Int text: String is: Boolean kind: Kind long: Long longs: [Long] json: JSON node: Node other: [Node] }
    interface Node { id: ID! long: Long }
    type A implements Node { id: ID! long: Long a: ID }
    type B implements Node { id: ID! long: Long b: Float }
    enum Kind { X }`);
  const settle = (query: string, text: string) => {
    const { data } = parseExactJson(text).value as { data: Record<string, unknown> };
    return { errors: settleAnswer(data, parse(query), schema), data };
  };

  it('are converted to what their fields can hold', () => {
    const { data, errors } = settle(
      `query { id alias: id ids float long longs json node { ...F } other { id ... on B { b } ... on A { x: a } } }
       fragment F on Node { id ... on A { a } }`,
      `{"data": {
        "id": 9007199254740993, "alias": 1e20, "ids": [[9007199254740993, 1], null], "float": 12345678901234567890,
        "long": 9007199254740993, "longs": [9007199254740992, 123456789.123456789], "json": {"a": [{"b": 9007199254740993}]},
        "node": {"id": 90071992547409931, "a": 90071992547409933}, "other": [{"id": 90071992547409935, "b": 0.12345678901234567}, {"x": 90071992547409937}],
        "notSelected": {"n": 9007199254740993}
      }}`,
    );
    expect(errors).toEqual([]);
    expect(data).toEqual({
      id: '9007199254740993',
      alias: '100000000000000000000',
      ids: [['9007199254740993', 1], null],
      float: 12345678901234567890,
      long: '9007199254740993',
      longs: [9007199254740992, '123456789.123456789'],
      json: { a: [{ b: '9007199254740993' }] },
      node: { id: '90071992547409931', a: '90071992547409933' },
      other: [{ id: '90071992547409935', b: 0.12345678901234567 }, { x: '90071992547409937' }],
      notSelected: { n: '9007199254740993' },
    });
  });

  it('become entity keys, by the types of the fragments', () => {
    const { data, errors } = settle(
      'query($r: [_Any!]!) { _entities(representations: $r) { ... on A { id long } ... on B { b } } }',
      '{"data": {"_entities": [{"id": 9007199254740993, "long": 1e400}, null, {"b": 9007199254740993}]}}',
    );
    expect(errors).toEqual([]);
    expect(data).toEqual({
      _entities: [{ id: '9007199254740993', long: '1e400' }, null, { b: 9007199254740992 }],
    });
  });

  it('are errors at their positions if not exact, and never keys', () => {
    const { data, errors } = settle(
      '{ id int float text is kind node { id } other { id } }',
      `{"data": {"id": 1.12345678901234567890, "int": 9007199254740993, "float": 1e400, "text": 9007199254740993, "is": 9007199254740993,
        "kind": 9007199254740993, "node": 9007199254740993, "other": [{"id": 1e-400}, 9007199254740993]}}`,
    );
    expect(data).toEqual({ other: [{}, null] });
    expect(errors.map(({ path }) => path?.join('.')).sort()).toEqual(
      ['id', 'int', 'float', 'text', 'is', 'kind', 'node', 'other.0.id', 'other.1'].sort(),
    );
    expect(new Set(errors.map(({ extensions }) => extensions?.code))).toEqual(new Set(['NUMBER_NOT_EXACT']));
    expect(JSON.stringify(errors)).not.toContain('9007');
  });

  it('cause at most 101 errors, whatever the subgraph sends', () => {
    const { errors, data } = settle(
      '{ ids }',
      `{"data": {"ids": [${'9007199254740993.5,'.repeat(50_000)}1]}}`,
    );
    expect(errors).toHaveLength(101);
    expect(errors.at(-1)).toMatchObject({ extensions: { omittedPaths: 49_900 } });
    expect((data.ids as unknown[]).filter((each) => each !== null)).toEqual([1]);
  });

  it('do not overflow the stack in a list nested deeper than its type', () => {
    const depth = 100_000;
    const { data } = settle(
      '{ ids }',
      `{"data": {"ids": ${'['.repeat(depth)}9007199254740993${']'.repeat(depth)}}}`,
    );
    let inner: unknown = data.ids;
    for (let level = 0; level < depth; level += 1) inner = (inner as unknown[])[0];
    expect(inner).toBe('9007199254740993');
  });
});
