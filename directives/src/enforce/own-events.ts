/**
 * Events of a source without those of other subjects: an event that came as null would tell when something happens to them.
 * Whoever waits for the next event waits on.
 */
export class OwnEvents implements AsyncIterableIterator<unknown> {
  private readonly source: AsyncIterator<unknown>;
  private isOver = false;

  /** @param isOwn Whether the caller gets anything of an event's payload. */
  constructor(
    source: AsyncIterable<unknown>,
    private readonly isOwn: (payload: unknown) => Promise<boolean>,
  ) {
    this.source = source[Symbol.asyncIterator]();
  }

  async next(): Promise<IteratorResult<unknown>> {
    for (;;) {
      const result = await this.source.next();
      if (result.done === true || (await this.isOwn(result.value))) return result;
      // A source that always has an event at hand must not keep everything else waiting.
      await new Promise((resolve) => setImmediate(resolve));
      if (this.isOver) return { done: true, value: undefined };
    }
  }

  async return(): Promise<IteratorResult<unknown>> {
    this.isOver = true;
    return this.source.return === undefined ? { done: true, value: undefined } : this.source.return();
  }

  async throw(error: unknown): Promise<IteratorResult<unknown>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
