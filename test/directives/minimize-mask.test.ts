import fc from 'fast-check';
import {
  GraphQLBoolean,
  GraphQLFloat,
  GraphQLID,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLScalarType,
  GraphQLString,
} from 'graphql';
import type { GraphQLOutputType } from 'graphql';
import { describe, expect, it } from 'vitest';
import { compileMinimizer } from '../../directives/src/minimize/minimizer.js';
import { minimize } from '../../directives/src/specification/minimize.js';

type Minimized = (value: unknown) => unknown;

function minimizer(
  args: Readonly<Record<string, unknown>>,
  type: GraphQLOutputType = GraphQLString,
): Minimized {
  const { statement } = minimize.compile(args, 'Query.x');
  const input = { coordinate: 'Query.x', pseudonymKey: undefined, onUnreadable: () => undefined };
  const compiled = compileMinimizer({ ...input, statement, type });
  return (value) => compiled(value, { clientId: 'app' });
}

const mask = (args: Readonly<Record<string, unknown>>): Minimized => minimizer({ to: 'MASK', ...args });

describe('MASK', () => {
  it.each([
    [{}, 'alma', '***'],
    [{ last: 4 }, 'AT611904300234573201', '***3201'],
    [{ last: 6 }, 'AT61 1904 3002 3457 3201', '***57 3201'],
    [{ first: 2 }, 'AT61 1904', 'AT***'],
    [{ first: 4 }, 'AT61 1904 3002', 'AT61***'],
    [{ first: 1, last: 1 }, 'alma', 'a***a'],
    [{ first: 2, last: 2 }, 'alma', 'a***a'],
    [{ first: 2, last: 2 }, 'al', '***'],
    [{ first: 1, last: 2 }, 'alma-n', 'a***n'],
    [{ first: 1, last: 2 }, 'alma-no', 'a***no'],
    [{ last: 1 }, '', '***'],
    [{ last: 1 }, ' - ', '***'],
    [{ first: 1, last: 1, showLength: true }, 'a-lm-a', 'a-**-a'],
    [{ first: 3, last: 3, showLength: true }, 'a-lma', 'a-**a'],
    [{ first: 3, last: 3, showLength: true }, 'a-b', '*-*'],
    [{ last: 1 }, '--alma', '***a'],
    [{ first: 1 }, 'alma--', 'a***'],
    [{ last: 1 }, '🇦🇹🇩🇪🇫🇮', '***🇫🇮'],
  ])('%j of %j', (args, text, expected) => {
    expect(mask(args)(text)).toBe(expected);
  });

  it('tells nothing of how long the hidden part is (property)', () => {
    const ends = fc.string({ minLength: 3, maxLength: 3, unit: fc.constantFrom('a', 'b', '1', '2') });
    const middle = fc.string({ minLength: 3, maxLength: 40, unit: fc.constantFrom('x', 'y', '-', '.', ' ') });
    fc.assert(
      fc.property(ends, middle, middle, ends, (begin, one, other, end) => {
        const by = mask({ first: 3, last: 3 });
        const [some, others] = [one, other].map((text) => by(`${begin}${text}xyx${end}`));
        expect(some).toBe(others);
        expect(some).toBe(`${begin}***${end}`);
      }),
    );
  });

  it.each([
    [{}, 'a.nowak@example.com', '***@example.com'],
    [{ first: 1 }, 'a.nowak@example.com', 'a***@example.com'],
    [{ first: 1 }, 'a@example.com', '***@example.com'],
    [{ first: 1 }, '"x@yz"@example.com', '"x***@example.com'],
    [{ first: 1 }, 'alma', '***'],
    [{ first: 1 }, '@example.com', '***'],
    [{ first: 1 }, 'alma@', '***'],
    [{ first: 1 }, 'alma@her own house', '***'],
  ])('of an e-mail address, %j: %s', (args, text, expected) => {
    expect(mask({ ...args, form: 'EMAIL' })(text)).toBe(expected);
  });

  it.each([
    [{}, 'AT611904300234573201', 'AT** **** **** **** ****'],
    [{ last: 4 }, 'AT61 1904 3002 3457 3201', 'AT** **** **** **** 3201'],
    [{ last: 4 }, 'NO9386011117947', 'NO** **** ***7 947'],
    [{ last: 20 }, 'AT61 1904 3002 3457 3201', 'AT** **** **** **57 3201'],
    [{ last: 4 }, 'at611904300234573201', '***'],
    [{ last: 4 }, 'AT61', '***'],
    [{ last: 4 }, '1234567890123456', '***'],
  ])('of an IBAN, %j: %s', (args, text, expected) => {
    expect(mask({ ...args, form: 'IBAN' })(text)).toBe(expected);
  });

  it.each([
    [{ keep: 4 }, '@minimize(to: MASK) takes no "keep"'],
    [{ first: -1 }, '"first" must be a whole number from 0 to 1000'],
    [{ last: 1.5 }, '"last" must be a whole number from 0 to 1000'],
    [{ form: 'IBEN' }, '"form" must be one of EMAIL, IBAN; did you mean IBAN?'],
    [{ form: 'EMAIL', last: 1 }, '"last" does not go with "form: EMAIL": its domain stays'],
    [{ form: 'IBAN', first: 1 }, '"first" does not go with "form: IBAN": its country stays'],
    [{ form: 'IBAN', showLength: true }, '"showLength" does not go with "form"'],
  ])('stops the start: %j', (args, message) => {
    expect(() => mask(args)).toThrow(
      expect.objectContaining({ code: 'INVALID_RULE', message: `Query.x: ${message}` }) as Error,
    );
  });
});

describe('REDACT', () => {
  const list = (of: GraphQLOutputType): GraphQLOutputType => new GraphQLList(of);
  const nonNull = (of: GraphQLScalarType): GraphQLOutputType => new GraphQLNonNull(of);
  const Day = new GraphQLScalarType({ name: 'Day' });

  it.each<[GraphQLOutputType, unknown, unknown]>([
    [GraphQLInt, 1, null],
    [Day, 'x', null],
    [nonNull(GraphQLString), 'x', '[redacted]'],
    [nonNull(GraphQLID), 'x', '[redacted]'],
    [nonNull(GraphQLInt), 1, 0],
    [nonNull(GraphQLFloat), 1.5, 0],
    [nonNull(GraphQLBoolean), true, false],
    [list(nonNull(GraphQLInt)), [1, 2], [0, 0]],
    [list(list(nonNull(GraphQLBoolean))), [[true], []], [[false], []]],
    [list(Day), ['x', null], [null, null]],
  ])('of %s', async (type, value, expected) => {
    const redact = minimizer({ to: 'REDACT' }, type);
    expect(redact(value)).toEqual(expected);
    expect(redact(null)).toBeNull();
    expect(await redact(Promise.resolve(value))).toEqual(expected);
  });

  it('keeps errors, which the resolver reports', async () => {
    const redact = minimizer({ to: 'REDACT' }, GraphQLInt);
    const error = new Error('mine');
    expect(redact(error)).toBe(error);
    expect(await redact(Promise.resolve(error))).toBe(error);
    await expect(redact(Promise.reject(error))).rejects.toBe(error);
  });

  it.each([nonNull(Day), list(nonNull(Day))])('has no default for %s', (type) => {
    expect(() => minimizer({ to: 'REDACT' }, type)).toThrow(
      'REDACT needs a nullable field, or one of type String, ID, Int, Float, Boolean',
    );
  });
});
