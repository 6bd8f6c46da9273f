/**
 * Drops a source's events of other subjects. An event delivered as null would reveal when something happens to them, so the
 * consumer simply keeps waiting.
 */
export class OwnEvents implements AsyncIterableIterator<unknown> {
  readonly #source: AsyncIterator<unknown>;
  #isOver = false;

  readonly #isOwn: (payload: unknown) => Promise<boolean>;

  /** @param isOwn whether the caller gets anything of an event's payload */
  constructor(source: AsyncIterable<unknown>, isOwn: (payload: unknown) => Promise<boolean>) {
    this.#isOwn = isOwn;
    this.#source = source[Symbol.asyncIterator]();
  }

  async next(): Promise<IteratorResult<unknown>> {
    for (;;) {
      const result = await this.#source.next();
      if (result.done === true || (await this.#isOwn(result.value))) return result;
      // A source with endless events at hand must not block everything else.
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#isOver) return { done: true, value: undefined };
    }
  }

  async return(): Promise<IteratorResult<unknown>> {
    this.#isOver = true;
    return this.#source.return === undefined ? { done: true, value: undefined } : this.#source.return();
  }

  async throw(error: unknown): Promise<IteratorResult<unknown>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
