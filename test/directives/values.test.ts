import { describe, expect, it } from 'vitest';
import {
  awaitedLater,
  collect,
  Interned,
  isAsyncIterable,
  isIterable,
  isPromise,
} from '../../directives/src/enforce/values.js';
import { nextTurn, unhandledDuring } from './unhandled.js';

const callable = Object.assign(() => undefined, {});
const NEITHER = [undefined, null, 0, 'text', true, {}, callable, { then: 1 }, { [Symbol.iterator]: 1 }];

describe('a promise is what graphql-js takes for one', () => {
  it('an object or a function with a then', () => {
    expect(isPromise(Promise.resolve())).toBe(true);
    expect(isPromise({ then: () => undefined })).toBe(true);
    expect(isPromise(Object.assign(() => undefined, { then: () => undefined }))).toBe(true);
  });

  it.each(NEITHER)('not %o', (value) => {
    expect(isPromise(value)).toBe(false);
  });
});

describe('a list', () => {
  it('is any iterable object, and no text', () => {
    expect(isIterable([])).toBe(true);
    expect(isIterable(new Set())).toBe(true);
    expect(isIterable({ [Symbol.iterator]: () => [][Symbol.iterator]() })).toBe(true);
    expect(isIterable((async function* () {})())).toBe(false);
  });

  it('may be asynchronous', async () => {
    const list = (async function* () {
      yield 1;
      yield Promise.resolve(2);
    })();
    expect(isAsyncIterable(list)).toBe(true);
    expect(isAsyncIterable([])).toBe(false);
    expect(await collect(list)).toEqual([1, 2]);
  });

  it.each([...NEITHER, { [Symbol.asyncIterator]: 1 }])('is not %o', (value) => {
    expect(isIterable(value)).toBe(false);
    expect(isAsyncIterable(value)).toBe(false);
  });

  it('with a function in its place is none', () => {
    expect(isIterable(Object.assign(() => undefined, { [Symbol.iterator]: () => [] }))).toBe(false);
    expect(isAsyncIterable(Object.assign(() => undefined, { [Symbol.asyncIterator]: () => [] }))).toBe(false);
  });
});

describe('a promise that is awaited later', () => {
  it('is rejected as before, and meanwhile not reported', async () => {
    const reason = new Error('no database');
    const unheard = await unhandledDuring(async () => {
      const rejected = awaitedLater(Promise.reject(reason));
      await nextTurn();
      await expect(rejected).rejects.toBe(reason);
      // In a list that fails before anybody sees its entries.
      const entries = [Promise.reject(new Error('entry'))];
      const next = (): Promise<IteratorResult<unknown>> => {
        const value = entries.pop();
        return value === undefined
          ? Promise.reject(new Error('list'))
          : Promise.resolve({ done: false, value });
      };
      const list = { [Symbol.asyncIterator]: () => ({ next }) };
      await expect(collect(list)).rejects.toThrow('list');
      await nextTurn();
    });
    expect(unheard).toEqual([]);
  });

  it('is nothing else than the value: a query is not run again', () => {
    let runs = 0;
    const query = { then: () => (runs += 1) };
    for (const value of [query, 1, null, undefined, 'text']) expect(awaitedLater(value)).toBe(value);
    expect(runs).toBe(0);
  });
});

describe('equal values', () => {
  it('have one index, and others another', () => {
    const interned = new Interned<readonly string[]>();
    const first = ['a'];
    expect([first, ['a'], ['b'], first, ['b']].map((value) => interned.index(value))).toEqual([
      0, 0, 1, 0, 1,
    ]);
    expect(interned.values).toEqual([['a'], ['b']]);
    expect(interned.values[0]).toBe(first);
  });

  it('are serialized once for each object', () => {
    let serialized = 0;
    const value = {
      toJSON: () => {
        serialized += 1;
        return 'value';
      },
    };
    const interned = new Interned<typeof value>();
    expect([interned.index(value), interned.index(value)]).toEqual([0, 0]);
    expect(serialized).toBe(1);
  });
});
