import type { Clock } from '@behalf/directives';
import { systemClock } from '@behalf/directives/internal';
import pg from 'pg';

import type { Log } from '@behalf/store';
import { timeoutSettings } from '@behalf/store/internal';
import type { Channel } from './channels.js';

const RECONNECT_MS = 500;
// How often a waiter looks by itself while the connection is down.
const LOOK_ANYWAY_MS = 1_000;
// How often it looks in any case, because a connection can be dead without either side noticing.
const LOOK_AT_LEAST_MS = 10_000;

/**
 * Wakes waiters when the change log, or what another channel stands for, changes. A notification carries no payload and may be
 * lost: waiters query the store after every wake-up, so a lost one only costs time.
 */
export class ChangeFeed {
  readonly #url: string;
  readonly #log: Log;
  readonly #channel: Channel;
  readonly #waiters = new Set<() => void>();
  #client: pg.Client | undefined;
  #listening = false;
  #closed = false;
  #cancelRetry: (() => void) | undefined;
  readonly #clock: Clock;

  /** @param channel what to listen to. Default: changes for gateways */
  constructor(databaseUrl: string, log: Log, channel: Channel = 'change', clock: Clock = systemClock) {
    this.#clock = clock;
    this.#url = databaseUrl;
    this.#log = log;
    this.#channel = channel;
  }

  /** Starts listening, and retries until that succeeds. */
  async open(): Promise<void> {
    await this.#connect();
  }

  /**
   * Resolves after the next change, when the signal is aborted, or spuriously before. Never rejects.
   *
   * @param atMostMs resolves after this time in any case
   */
  async wait(signal: AbortSignal, atMostMs: number = LOOK_AT_LEAST_MS): Promise<void> {
    if (signal.aborted || this.#closed) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        cancel();
        signal.removeEventListener('abort', wake);
        this.#waiters.delete(wake);
        resolve();
      };
      const longestMs = this.#listening ? LOOK_AT_LEAST_MS : LOOK_ANYWAY_MS;
      const cancel = this.#clock.after(Math.min(atMostMs, longestMs), wake);
      signal.addEventListener('abort', wake, { once: true });
      this.#waiters.add(wake);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRetry?.();
    this.#wakeAll();
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => undefined);
  }

  async #connect(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: this.#channel === 'change' ? 'behalf-changes' : `behalf_authority_${this.#channel}`,
      connectionTimeoutMillis: 10_000,
      ...timeoutSettings(),
    });
    this.#client = client;
    client.on('notification', () => this.#wakeAll());
    client.on('error', () => this.#lost(client));
    client.on('end', () => this.#lost(client));
    try {
      await client.connect();
      const name = await nameOf(client, this.#channel);
      await client.query(`listen ${client.escapeIdentifier(name)}`);
      this.#listening = true;
      // Changes may have been appended while nobody listened.
      this.#wakeAll();
    } catch {
      this.#lost(client);
    }
  }

  #lost(client: pg.Client): void {
    if (this.#closed || this.#client !== client) return;
    this.#client = undefined;
    this.#listening = false;
    this.#log.log('warn', 'CHANGE_FEED_LOST');
    void client.end().catch(() => undefined);
    this.#wakeAll();
    this.#cancelRetry = this.#clock.after(RECONNECT_MS, () => void this.#connect());
  }

  #wakeAll(): void {
    for (const wake of [...this.#waiters]) wake();
  }
}

async function nameOf(client: pg.Client, channel: Channel): Promise<string> {
  const { rows } = await client.query<{ channel: string }>(
    'select channel from authority.channel where name = $1',
    [channel],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('The store does not know the channel');
  return row.channel;
}
