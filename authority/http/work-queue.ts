/** @see WorkQueue */
export interface WorkLimits {
  /** Running at the same time, at most. */
  readonly atOnce: number;
  /** Waiting for their turn, at most. */
  readonly waiting: number;
  /** For one key, running and waiting together, so that nobody fills the queue alone. */
  readonly perKey: number;
}

/** There is too much to do. */
export class BusyError extends Error {
  override readonly name = 'BusyError';
}

/** Runs costly work with bounded concurrency. Further work waits in order; beyond the limit, it is refused immediately. */
export class WorkQueue {
  readonly #limits: WorkLimits;
  readonly #perKey = new Map<string, number>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(limits: WorkLimits) {
    this.#limits = limits;
  }

  /** @throws BusyError, and any error of the work */
  async run<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const ofKey = this.#perKey.get(key) ?? 0;
    const { atOnce, perKey, waiting } = this.#limits;
    const mustWait = this.#running >= atOnce;
    if (ofKey >= perKey || (mustWait && this.#waiting.length >= waiting))
      throw new BusyError('too much to do');
    this.#perKey.set(key, ofKey + 1);
    if (mustWait) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
    try {
      return await work();
    } finally {
      this.#leave(key);
    }
  }

  /** The longest waiting work takes the place. */
  #leave(key: string): void {
    const left = (this.#perKey.get(key) ?? 1) - 1;
    if (left === 0) this.#perKey.delete(key);
    else this.#perKey.set(key, left);
    const next = this.#waiting.shift();
    if (next === undefined) this.#running -= 1;
    else next();
  }
}
