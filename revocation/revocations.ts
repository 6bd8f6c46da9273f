import { steadyTime } from '@behalf/directives/internal';
import type { Clock } from '@behalf/directives';
import { HookQueue } from './hooks.js';
import type { RevocationHooks } from './hooks.js';
import type { RevocationLog } from './log.js';
import { SsfReceiver } from './receiver.js';
import type { ReceiverOptions } from './stream-options.js';
import { RevocationView } from './view.js';

export interface RevocationsOptions {
  /** At least one. */
  readonly streams: readonly ReceiverOptions[];
  readonly maxStalenessMs: number;
  readonly maxTokenLifetimeSeconds: number;
  readonly maxEntries: number;
  readonly log: RevocationLog;
  /** The program's own, called after the view is updated. */
  readonly hooks: RevocationHooks;
  /** Refetches the keys that verify the issuer's tokens. */
  readonly refreshKeys: (issuer: string) => Promise<void>;
  readonly clock: Clock;
}

/** The issuers' revocations, and the streams that announce them. */
export class Revocations {
  readonly view: RevocationView;
  readonly #receivers: readonly SsfReceiver[];

  constructor({ streams, log, hooks, refreshKeys, clock, ...bounds }: RevocationsOptions) {
    const queue = new HookQueue(hooks, log, { clock });
    this.view = new RevocationView({
      issuers: streams.map(({ issuer }) => issuer),
      ...bounds,
      now: steadyTime(clock),
      whenRevoked: (what, atSeconds) => queue.tell(what, atSeconds),
    });
    this.#receivers = streams.map((stream) => new SsfReceiver(stream, this.view, log, refreshKeys, clock));
  }

  start(): void {
    for (const receiver of this.#receivers) receiver.start();
  }

  async close(): Promise<void> {
    await Promise.all(this.#receivers.map((receiver) => receiver.close()));
  }
}
