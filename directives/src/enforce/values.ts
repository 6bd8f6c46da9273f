/** Gives equal values one index. */
export class Interned<Value> {
  readonly values: Value[] = [];
  readonly #indices = new Map<string, number>();
  /** The same object recurs often, so it is serialized once. */
  readonly #identities = new Map<Value, number>();

  index(value: Value): number {
    let index = this.#identities.get(value);
    if (index !== undefined) return index;
    const key = JSON.stringify(value);
    index = this.#indices.get(key);
    if (index === undefined) {
      index = this.values.push(value) - 1;
      this.#indices.set(key, index);
    }
    this.#identities.set(value, index);
    return index;
  }
}

/** The same test as in graphql-js, so that both agree on what a promise is. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

export function isIterable(value: unknown): value is Iterable<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { [Symbol.iterator]?: unknown })[Symbol.iterator] === 'function'
  );
}

export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { [Symbol.asyncIterator]?: unknown })[Symbol.asyncIterator] === 'function'
  );
}

/**
 * Every value of an asynchronous list, as graphql 17 completes one. An entry may be a promise, if the list is not a generator.
 *
 * @throws the list's error
 */
export async function collect(list: AsyncIterable<unknown>): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of list) values.push(awaitedLater(value));
  return values;
}

/**
 * The value itself. If it is a promise, whoever awaits it gets its rejection as before; but until then, or if the rest of the
 * list fails and nobody does, Node must not report the rejection as unhandled, which ends the process.
 */
export function awaitedLater(value: unknown): unknown {
  // Only these are reported. Another thenable may be a query that each call of `then` runs again.
  if (value instanceof Promise) value.catch(() => undefined);
  return value;
}
