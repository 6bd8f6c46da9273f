import { GraphQLError } from 'graphql';
import type { Clock } from '../clock.js';
import type { subscriptionErrors } from '../errors.js';

/** How long the delegation behind a subscription lasts. */
export interface DelegationLife {
  readonly clock: Clock;
  /** Whether it has ended. */
  hasEnded(): boolean;
  /** Milliseconds until it ends, by the current clock; Infinity: never. */
  remainingMs(): number;
  /** Aborts when it is revoked; undefined if the subgraph has no such signal. */
  readonly revoked: AbortSignal | undefined;
}

/** The error that a subscription ends with. */
export function delegationEnded(): GraphQLError {
  return new GraphQLError('The delegation behind this subscription has ended', {
    extensions: { code: 'DELEGATION_ENDED' satisfies keyof typeof subscriptionErrors },
  });
}

/** Clocks are adjusted, and a timer holds at most 24 days, so the end is checked again this often. */
const LONGEST_WAIT_MS = 60_000;

/** Watches for the end of one delegation, by the clock or by revocation, until it comes or the watch is closed. */
export class EndWatch {
  #cancelTimer: (() => void) | undefined;
  readonly #look = (): void => {
    if (!this.hasEnded()) {
      this.#wait();
      return;
    }
    this.close();
    this.#whenEnded();
  };

  readonly #life: DelegationLife;
  readonly #whenEnded: () => void;

  /** @param whenEnded called once, never from within the constructor */
  constructor(life: DelegationLife, whenEnded: () => void) {
    this.#life = life;
    this.#whenEnded = whenEnded;
    life.revoked?.addEventListener('abort', this.#look);
    this.#wait();
  }

  /** Whether the delegation has ended. A timer may be late, so ask before returning anything. */
  hasEnded(): boolean {
    return this.#life.hasEnded();
  }

  /** Stops watching. */
  close(): void {
    this.#cancelTimer?.();
    this.#life.revoked?.removeEventListener('abort', this.#look);
  }

  #wait(): void {
    const remainingMs = this.#life.remainingMs();
    if (remainingMs === Infinity) return;
    this.#cancelTimer?.();
    const waitMs = Math.min(Math.max(remainingMs, 0), LONGEST_WAIT_MS);
    this.#cancelTimer = this.#life.clock.after(waitMs, this.#look);
  }
}
