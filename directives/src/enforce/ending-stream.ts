import { delegationEnded, EndWatch } from './delegation-end.js';
import type { DelegationLife } from './delegation-end.js';
import { isAsyncIterable } from './values.js';

interface Waiting {
  readonly resolve: (result: IteratorResult<unknown>) => void;
  readonly reject: (reason: unknown) => void;
}

const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

/**
 * Opens a source of events, and ends it with the delegation: with an error for whoever waits for the next event, whether one
 * ever comes or not, and with `return()` for the source.
 *
 * @param open Gives what the field's `subscribe` gives. What is no stream is passed on, for graphql-js to refuse.
 */
export function endWithDelegation(open: () => unknown, life: DelegationLife): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let stream: EndingStream | undefined;
    let hasEnded = false;
    const watch = new EndWatch(life, () => {
      hasEnded = true;
      if (stream === undefined) reject(delegationEnded());
      else stream.end();
    });
    const opened = async (): Promise<unknown> => open();
    opened()
      .then((source) => {
        if (!isAsyncIterable(source)) {
          watch.close();
          resolve(source);
          return;
        }
        const iterator = source[Symbol.asyncIterator]();
        if (hasEnded) returnQuietly(iterator);
        else resolve((stream = new EndingStream(iterator, watch)));
      })
      .catch((error: unknown) => {
        watch.close();
        // As it was thrown: graphql-js makes an error of whatever that is.
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
        reject(error);
      });
  });
}

/** Events of a source until the delegation has ended; then one error, and nothing more. */
class EndingStream implements AsyncIterableIterator<unknown> {
  private readonly waiting = new Set<Waiting>();
  private isOver = false;
  /** The end came while nobody waited: whoever asks next is told. */
  private owesError = false;

  constructor(
    private readonly source: AsyncIterator<unknown>,
    private readonly watch: EndWatch,
  ) {}

  next(): Promise<IteratorResult<unknown>> {
    if (!this.isOver && this.watch.hasEnded()) this.end();
    if (this.owesError) {
      this.owesError = false;
      return Promise.reject(delegationEnded());
    }
    if (this.isOver) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { resolve, reject };
      this.waiting.add(waiting);
      const pull = async (): Promise<IteratorResult<unknown>> => this.source.next();
      pull().then(
        (result) => {
          if (result.done === true) this.settle();
          else if (this.watch.hasEnded()) this.end();
          if (this.waiting.delete(waiting)) resolve(result);
        },
        (error: unknown) => {
          if (this.waiting.delete(waiting)) {
            this.settle();
            // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- as the source threw it
            reject(error);
          }
        },
      );
    });
  }

  /** The delegation has ended. Of those who wait, the first is told, as a generator that throws tells one. */
  end(): void {
    if (this.isOver) return;
    const [first] = this.waiting;
    if (first === undefined) this.owesError = true;
    else {
      this.waiting.delete(first);
      first.reject(delegationEnded());
    }
    this.settle();
    returnQuietly(this.source);
  }

  /** The consumer wants no more. */
  async return(): Promise<IteratorResult<unknown>> {
    const wasOver = this.isOver;
    this.owesError = false;
    this.settle();
    return wasOver || this.source.return === undefined ? DONE : this.source.return();
  }

  async throw(error: unknown): Promise<IteratorResult<unknown>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Nothing comes any more, and nothing is waited for. */
  private settle(): void {
    this.isOver = true;
    this.watch.close();
    for (const { resolve } of this.waiting) resolve(DONE);
    this.waiting.clear();
  }
}

/** A generator that waits for something else returns when it gets it: nobody waits for that, and nobody hears it fail. */
function returnQuietly(source: AsyncIterator<unknown>): void {
  const ended = async (): Promise<unknown> => source.return?.();
  ended().catch(() => undefined);
}
