import type { Pool } from 'pg';
import { importOptional } from '../config/import-optional.js';
import { MemoryReplayStore } from './memory.js';
import { ReplayStoreError } from './store.js';
import type { ReplayStore } from './store.js';

export interface PostgresReplayOptions {
  /** Of the role that can claim and nothing else (see `createReplayRole` of the store). */
  readonly databaseUrl: string;
  /** Claims of this gateway that are kept at a time. Default 500,000. */
  readonly maxEntries?: number;
}

const MAX_CONNECTIONS = 8;
const TIMEOUT_MS = 2_000;
/** As in `replay.claim`, which bounds what a claim waits for whatever is set here. */
const LOCK_TIMEOUT_MS = 1_000;
const CLAIM = { name: 'claim', text: 'select replay.claim($1, $2) as is_first' };

/**
 * For several gateways on one database. What this gateway has seen itself is refused without asking, and the database is
 * asked for no more than what the memory has room for: that bounds the table by the number of gateways.
 */
export class PostgresReplayStore implements ReplayStore {
  /** The table outlives the gateway. */
  readonly knowsSinceSeconds = Number.NEGATIVE_INFINITY;
  readonly #own: MemoryReplayStore;
  readonly #pool: Pool;

  private constructor(own: MemoryReplayStore, pool: Pool) {
    this.#own = own;
    this.#pool = pool;
  }

  /**
   * Nothing connects before the first claim.
   *
   * @throws {ConfigurationError} when the package `pg` is not installed
   */
  static async open({ databaseUrl, maxEntries }: PostgresReplayOptions): Promise<PostgresReplayStore> {
    const { default: pg } = await importOptional('dpop.database', 'pg', async () => import('pg'));
    const pool = new pg.Pool({
      connectionString: databaseUrl,
      max: MAX_CONNECTIONS,
      application_name: 'behalf-replay',
      connectionTimeoutMillis: TIMEOUT_MS,
      query_timeout: TIMEOUT_MS,
      // The server's limit, so that a claim that nobody waits for any more holds no connection.
      statement_timeout: TIMEOUT_MS,
      lock_timeout: LOCK_TIMEOUT_MS,
      idle_in_transaction_session_timeout: TIMEOUT_MS,
    });
    // The next claim replaces a connection that broke while idle, and reports when it cannot.
    pool.on('error', () => undefined);
    return new PostgresReplayStore(
      new MemoryReplayStore(maxEntries === undefined ? {} : { maxEntries }),
      pool,
    );
  }

  async claim(digest: string, keepSeconds: number): Promise<boolean> {
    const isFirstHere = await this.#own.claim(digest, keepSeconds);
    if (!isFirstHere) return false;
    const values = [Buffer.from(digest, 'base64url'), Math.ceil(keepSeconds)];
    let isFirst: unknown;
    try {
      const { rows } = await this.#pool.query<{ is_first: unknown }>({ ...CLAIM, values });
      isFirst = rows[0]?.is_first;
    } catch (cause) {
      throw new ReplayStoreError('REPLAY_STORE_UNREACHABLE', { cause });
    }
    if (isFirst === null) throw new ReplayStoreError('REPLAY_STORE_FULL');
    if (typeof isFirst !== 'boolean') throw new ReplayStoreError('REPLAY_STORE_UNREACHABLE');
    return isFirst;
  }

  async close(): Promise<void> {
    await this.#pool.end();
    await this.#own.close();
  }
}
