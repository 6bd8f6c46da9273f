import { GraphQLError } from 'graphql';
import type { subscriptionErrors } from '../errors.js';

/** How long the delegation behind a subscription goes on. */
export interface DelegationLife {
  /** Whether it is over by now. */
  hasEnded(): boolean;
  /** Milliseconds until it is, by the clock as it stands; Infinity: never. */
  remainingMs(): number;
  /** Aborts when it is revoked; undefined where the subgraph is not told. */
  readonly revoked: AbortSignal | undefined;
}

/** The error that a subscription ends with. */
export function delegationEnded(): GraphQLError {
  return new GraphQLError('The delegation behind this subscription has ended', {
    extensions: { code: 'DELEGATION_ENDED' satisfies keyof typeof subscriptionErrors },
  });
}

/** A clock may be set, and a timer holds 24 days at most: it is looked at again. */
const LONGEST_WAIT_MS = 60_000;

/** Waits for the end of one delegation, by the clock and for a revocation, until it has come or nobody waits any more. */
export class EndWatch {
  private timer: NodeJS.Timeout | undefined;
  private isOpen = true;
  private readonly look = (): void => {
    if (this.isOpen) this.lookAgain();
  };

  /** @param whenEnded Called once, never from within the constructor. */
  constructor(
    private readonly life: DelegationLife,
    private readonly whenEnded: () => void,
  ) {
    life.revoked?.addEventListener('abort', this.look, { once: true });
    this.wait();
  }

  /** Whether it is over. A timer may be late, so whoever is about to hand something out asks. */
  hasEnded(): boolean {
    return this.life.hasEnded();
  }

  /** Nobody waits any more. */
  close(): void {
    this.isOpen = false;
    clearTimeout(this.timer);
    this.life.revoked?.removeEventListener('abort', this.look);
  }

  private lookAgain(): void {
    if (!this.hasEnded()) {
      this.wait();
      return;
    }
    this.close();
    this.whenEnded();
  }

  private wait(): void {
    const remainingMs = this.life.remainingMs();
    if (remainingMs === Infinity) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(this.look, Math.min(Math.max(remainingMs, 0), LONGEST_WAIT_MS));
    // A process that has nothing else to do may end.
    this.timer.unref();
  }
}
