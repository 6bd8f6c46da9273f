import { setImmediate as turn } from 'node:timers/promises';

import type { Clock } from '@behalf/directives';
import { every } from '@behalf/directives/internal';
import type { Log } from '@behalf/store';
import { endHeldTransactions } from '@behalf/store/internal';
import { endUnrelayedRecording } from './audit/recording.js';
import { removeForgottenStreams } from './ssf/forgotten.js';
import { removeOldChanges } from './changes/retention.js';
import { finishForgetting } from './consent/finish-forgetting.js';
import { removeGoneKeys } from './keys/retention.js';
import { removeEndedSessions, removeExpiredPayloads } from './oidc/adapter.js';
import { removeExpiredStatuses } from './status/register.js';
import type { AuthorityDatabase } from './schema.js';

const EVERY_MS = 60_000;
/** A gateway's own transaction takes milliseconds. */
const HELD_SECONDS = 30;
const BATCH = 500;
const MAX_BATCHES = 20;

/** @see Housekeeping */
export interface HousekeepingOptions {
  readonly db: AuthorityDatabase;
  readonly log: Log;
  readonly clock: Clock;
  /** Whether this authority passes events on to the audit log. */
  readonly relaysEvents: boolean;
}

/** Removes expired rows, a bounded number per minute. Nothing's validity depends on it. */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  readonly #stop: () => void;
  #round: Promise<void> | undefined;
  #closed = false;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
    this.#stop = every(options.clock, EVERY_MS, () => this.#start());
  }

  /** Waits for the current round. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stop();
    await this.#round;
  }

  /** One round. */
  async run(): Promise<void> {
    const { db, log, relaysEvents } = this.#options;
    // Without the right to look for them, the rest is done all the same.
    const ended = await endHeldTransactions(db, HELD_SECONDS).catch(() => 0);
    if (ended > 0) log.log('error', 'SESSIONS_ENDED', { count: ended });
    await this.#inBatches(() => removeExpiredPayloads(db, BATCH));
    await removeEndedSessions(db);
    await this.#inBatches(() => removeExpiredStatuses(db, BATCH));
    await this.#inBatches(() => removeOldChanges(db, BATCH));
    await finishForgetting(db);
    await removeGoneKeys(db);
    await removeForgottenStreams(db);
    if (!relaysEvents && (await endUnrelayedRecording(db))) log.log('warn', 'AUDIT_RECORDING_ENDED');
  }

  #start(): void {
    this.#round ??= this.run()
      .catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : 'unknown reason';
        this.#options.log.log('warn', 'HOUSEKEEPING_FAILED', { reason });
      })
      .finally(() => (this.#round = undefined));
  }

  async #inBatches(batch: () => Promise<number>): Promise<void> {
    for (let count = 0; count < MAX_BATCHES && !this.#closed; count++) {
      if ((await batch()) < BATCH) return;
      await turn();
    }
  }
}
