import { createHash } from 'node:crypto';
import { pseudonymsOf, readPseudonym } from '@behalf/directives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openText, sealText } from '../../directives/src/minimize/sealed-text.js';
import { testedSubgraph } from './support.js';
import type { TestedSubgraph, TokenOptions } from './support.js';

const keyOf = (name: string): Uint8Array => createHash('sha256').update(name).digest();
const SDL = `
  type Query {
    id: ID @public @minimize(to: PSEUDONYMIZE)
    iban: String @public @minimize(to: PSEUDONYMIZE, readableWith: [["fraud:reveal"], ["audit", "reveal"]])
    plain: String @public
  }`;

interface Keys {
  readonly now?: string;
  readonly before?: Readonly<Record<string, Date>>;
}

function subgraph({ now = 'now', before = {} }: Keys = {}): TestedSubgraph {
  return testedSubgraph(
    SDL,
    { Query: { id: () => 'a-1', iban: () => 'AT611904300234573201', plain: () => 'x' } },
    {
      pseudonymKey: keyOf(now),
      formerPseudonymKeys: Object.entries(before).map(([name, until]) => ({ key: keyOf(name), until })),
    },
  );
}

const shown = async (tested: TestedSubgraph, field: 'id' | 'iban', who: TokenOptions = {}): Promise<string> =>
  String((await tested.ask(`{ ${field} }`, who)).data?.[field]);
const minutes = (count: number): Date => new Date(Date.now() + count * 60_000);

describe('pseudonymsOf', () => {
  it('recognizes what the caller was given, and nobody else was', async () => {
    const tested = subgraph();
    for (const field of ['id', 'iban'] as const) {
      const value = field === 'id' ? 'a-1' : 'AT611904300234573201';
      const [mine, others] = [await shown(tested, field), await shown(tested, field, { client: 'other' })];
      expect(pseudonymsOf(await tested.context({}), `Query.${field}`, value)).toEqual([mine]);
      expect(mine).not.toBe(others);
      expect(pseudonymsOf(await tested.context({}), `Query.${field}`, 'another')).not.toContain(mine);
    }
  });

  it('recognizes a former key’s until its time, and makes none of it', async () => {
    const old = await shown(subgraph({ now: 'old' }), 'id');
    const tested = subgraph({ before: { old: minutes(10), older: minutes(-1) } });
    const context = await tested.context({});
    const current = await shown(tested, 'id');
    expect(current).not.toBe(old);
    expect(pseudonymsOf(context, 'Query.id', 'a-1')).toEqual([current, old]);
    tested.nowMs += 11 * 60_000;
    expect(pseudonymsOf(await tested.context({}), 'Query.id', 'a-1')).toEqual([current]);
  });

  it.each(['Query.plain', 'Query.none', 'toString'])('knows no pseudonyms of %s', async (coordinate) => {
    const context = await subgraph().context({});
    expect(() => pseudonymsOf(context, coordinate, 'x')).toThrow(
      expect.objectContaining({ code: 'NO_PSEUDONYMS' }),
    );
  });

  it('needs a context of the subgraph', () => {
    for (const context of [undefined, {}, 'x'])
      expect(() => pseudonymsOf(context, 'Query.id', 'x')).toThrow(
        expect.objectContaining({ code: 'NOT_PROTECTED' }),
      );
  });
});

describe('readPseudonym', () => {
  const app = { clientId: 'app' };

  it.each([['fraud:reveal'], ['audit reveal']])(
    'reads for a caller with %s, whoever was given it',
    async (scope) => {
      const tested = subgraph();
      const pseudonym = await shown(tested, 'iban');
      const context = await tested.context({ client: 'fraud-desk', subject: 'dana', scope });
      expect(readPseudonym(context, 'Query.iban', pseudonym, app)).toBe('AT611904300234573201');
    },
  );

  it.each<[string, TokenOptions | undefined]>([
    ['without a scope', {}],
    ['with a part of an alternative', { scope: 'audit' }],
    ['whose consent is to the least detail', { scope: 'fraud:reveal', detail: 'minimal' }],
    ['that is anonymous', undefined],
  ])('is denied to a caller %s, whatever the pseudonym', async (_who, who) => {
    const tested = subgraph();
    const context = await tested.context(who);
    for (const pseudonym of [await shown(tested, 'iban'), 'x']) {
      expect(() => readPseudonym(context, 'Query.iban', pseudonym, app)).toThrow(
        expect.objectContaining({
          extensions: {
            code: 'UNAUTHORIZED_FIELD_OR_TYPE',
            coordinate: 'Query.iban',
            requires: { authenticated: true, scopes: [[['fraud:reveal'], ['audit', 'reveal']]] },
          },
        }),
      );
    }
  });

  it('reads nothing for another client, purpose or field, or of a key that is over', async () => {
    const tested = subgraph({ before: { old: minutes(10) } });
    const old = await shown(subgraph({ now: 'old' }), 'iban');
    const pseudonym = await shown(tested, 'iban');
    const reader = { scope: 'fraud:reveal' };
    const context = await tested.context(reader);
    expect(readPseudonym(context, 'Query.iban', old, app)).toBe('AT611904300234573201');
    expect(readPseudonym(context, 'Query.iban', pseudonym, { clientId: 'other' })).toBeUndefined();
    expect(readPseudonym(context, 'Query.iban', pseudonym, { ...app, purposes: ['p'] })).toBeUndefined();
    tested.nowMs += 11 * 60_000;
    expect(readPseudonym(await tested.context(reader), 'Query.iban', old, app)).toBeUndefined();
  });

  it('reads nothing of another field: each has keys of its own', async () => {
    const readable = '@public @minimize(to: PSEUDONYMIZE, readableWith: [["reveal"]])';
    const tested = testedSubgraph(`type Query { one: ID ${readable} other: ID ${readable} }`, {
      Query: { one: () => 'a-1', other: () => 'a-1' },
    });
    const context = await tested.context({ scope: 'reveal' });
    const { data } = await tested.ask('{ one other }', {});
    expect(data?.one).not.toBe(data?.other);
    expect(readPseudonym(context, 'Query.one', String(data?.one), app)).toBe('a-1');
    expect(readPseudonym(context, 'Query.other', String(data?.one), app)).toBeUndefined();
  });

  it('reads nothing of a field without readableWith: its pseudonyms are digests', async () => {
    const context = await subgraph().context({ scope: 'fraud:reveal' });
    expect(() => readPseudonym(context, 'Query.id', 'x', app)).toThrow(
      expect.objectContaining({ code: 'NO_PSEUDONYMS' }),
    );
  });
});

describe('a sealed text', () => {
  it('is read with its key, and never another text when it was changed (property)', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(), fc.nat({ max: 63 }), (text, at, by) => {
        const key = keyOf('key');
        const sealed = sealText(key, text);
        expect(openText(key, sealed)).toBe(text.toWellFormed());
        expect(sealText(key, text)).toBe(sealed);
        expect(openText(keyOf('other'), sealed)).toBeUndefined();
        const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
        const index = at % (sealed.length - 1);
        const letter = alphabet[(alphabet.indexOf(sealed[index] ?? '') + 1 + by) % 64] ?? '';
        const changed = sealed.slice(0, index) + letter + sealed.slice(index + 1);
        if (changed !== sealed) expect(openText(key, changed)).toBeUndefined();
      }),
    );
  });

  it('has one length for texts of similar length', () => {
    const lengths = Array.from(
      { length: 29 },
      (_, length) => sealText(keyOf('key'), 'x'.repeat(length)).length,
    );
    expect(new Set(lengths).size).toBe(1);
  });

  it.each(['', 'x', '*', 'A'.repeat(64), 'A'.repeat(10_000)])('is no other text: %#', (text) => {
    expect(openText(keyOf('key'), text)).toBeUndefined();
  });
});

describe('two clients', () => {
  it('cannot join their pseudonyms: in no bit do they agree more often than by chance', async () => {
    const tested = testedSubgraph(
      'type Query { ids: [ID] @public @minimize(to: PSEUDONYMIZE) }',
      { Query: { ids: () => Array.from({ length: 2_000 }, (_, index) => `person-${index}`) } },
      { pseudonymKey: keyOf('fixed') },
    );
    const bitsOf = async (client: string): Promise<readonly string[]> => {
      const { data } = await tested.ask('{ ids }', { client });
      return (data as { ids: string[] }).ids.map((id) =>
        [...Buffer.from(id, 'base64url')].map((byte) => byte.toString(2).padStart(8, '0')).join(''),
      );
    };
    const [one, other] = [await bitsOf('one'), await bitsOf('other')];
    const agree = Array.from(
      { length: 128 },
      (_, bit) => one.filter((id, index) => id[bit] === other[index]?.[bit]).length,
    );
    // Half of 2,000, within five standard deviations (of 22.4) for each of 128 bits.
    for (const count of agree) expect(Math.abs(count - 1_000)).toBeLessThan(112);
    expect(new Set([...one, ...other]).size).toBe(4_000);
  });
});

describe('what cannot be', () => {
  it.each([
    [[{}], 'formerPseudonymKeys: must have a key that'],
    [[{ key: new Uint8Array(5), until: new Date() }], 'formerPseudonymKeys: must have a key that'],
    [[{ key: keyOf('x') }], 'formerPseudonymKeys: must have until, a valid Date'],
    [
      [{ key: keyOf('x'), until: new Date(Number.NaN) }],
      'formerPseudonymKeys: must have until, a valid Date',
    ],
    [
      [{ key: keyOf('x'), until: new Date(), id: 1 }],
      'formerPseudonymKeys: must have a key and until, and no id',
    ],
    ['x', 'formerPseudonymKeys: must be a list of former keys'],
  ])('a former key like %j', (formerPseudonymKeys, message) => {
    const options = { formerPseudonymKeys } as object;
    expect(() => testedSubgraph(SDL, {}, options)).toThrow(message);
  });

  it.each(['[]', '[[]]', '[["a"], []]'])(
    'pseudonyms that anybody could read: readableWith: %s',
    (readableWith) => {
      expect(() =>
        testedSubgraph(
          `type Query { id: ID @public @minimize(to: PSEUDONYMIZE, readableWith: ${readableWith}) }`,
        ),
      ).toThrow('Query.id: "readableWith" must name scopes');
    },
  );
});
