import { delegationEnded, EndWatch } from './delegation-end.js';
import type { DelegationLife } from './delegation-end.js';
import { isAsyncIterable } from './values.js';

interface Waiting {
  readonly resolve: (result: IteratorResult<unknown>) => void;
  readonly reject: (reason: unknown) => void;
}

const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

/**
 * Opens a source of events, and ends it with the delegation: the waiting consumer gets an error, whether or not an event ever
 * comes, and the source's `return()` is called.
 *
 * @param open returns the result of the field's `subscribe`. Anything but a stream is passed on, for graphql-js to refuse.
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
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- graphql-js makes an error of whatever was thrown
        reject(error);
      });
  });
}

/** Events of a source until the delegation ends; then one error, and nothing more. */
class EndingStream implements AsyncIterableIterator<unknown> {
  readonly #waiting = new Set<Waiting>();
  #isOver = false;
  /** The end came while nobody waited: the next call gets the error. */
  #owesError = false;

  readonly #source: AsyncIterator<unknown>;
  readonly #watch: EndWatch;

  constructor(source: AsyncIterator<unknown>, watch: EndWatch) {
    this.#source = source;
    this.#watch = watch;
  }

  next(): Promise<IteratorResult<unknown>> {
    if (!this.#isOver && this.#watch.hasEnded()) this.end();
    if (this.#owesError) {
      this.#owesError = false;
      return Promise.reject(delegationEnded());
    }
    if (this.#isOver) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { resolve, reject };
      this.#waiting.add(waiting);
      const pull = async (): Promise<IteratorResult<unknown>> => this.#source.next();
      pull().then(
        (result) => {
          if (result.done === true) this.#settle();
          else if (this.#watch.hasEnded()) this.end();
          if (this.#waiting.delete(waiting)) resolve(result);
        },
        (error: unknown) => {
          if (this.#waiting.delete(waiting)) {
            this.#settle();
            // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- as the source threw it
            reject(error);
          }
        },
      );
    });
  }

  /** The delegation has ended. The first waiter gets the error, as if a generator had thrown it. */
  end(): void {
    if (this.#isOver) return;
    const [first] = this.#waiting;
    if (first === undefined) this.#owesError = true;
    else {
      this.#waiting.delete(first);
      first.reject(delegationEnded());
    }
    this.#settle();
    returnQuietly(this.#source);
  }

  /** The consumer has stopped reading. */
  async return(): Promise<IteratorResult<unknown>> {
    const wasOver = this.#isOver;
    this.#owesError = false;
    this.#settle();
    return wasOver || this.#source.return === undefined ? DONE : this.#source.return();
  }

  async throw(error: unknown): Promise<IteratorResult<unknown>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Ends the stream for all waiters. */
  #settle(): void {
    this.#isOver = true;
    this.#watch.close();
    for (const { resolve } of this.#waiting) resolve(DONE);
    this.#waiting.clear();
  }
}

/** A generator that waits for something else returns only afterwards. Nobody waits for that, and a failure is ignored. */
function returnQuietly(source: AsyncIterator<unknown>): void {
  const ended = async (): Promise<unknown> => source.return?.();
  ended().catch(() => undefined);
}
