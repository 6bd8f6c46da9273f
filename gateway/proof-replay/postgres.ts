import { randomBytes } from 'node:crypto';
import type { Clock } from '@behalf/directives';
import { withoutUndefined } from '@behalf/directives/internal';
import type { Pool } from 'pg';
import { importOptional } from '../import-optional.js';
import { checkPostgresOptions } from './check-options.js';
import { MemoryProofReplayStore } from './memory.js';
import { ProofReplayStoreError } from './store.js';
import type { ProofReplayStore } from './store.js';

/** The options of {@link PostgresProofReplayStore}. */
export interface PostgresProofReplayOptions {
  /** The connection string of the role that can claim and nothing else (see `createReplayRole` of `@behalf/store`). */
  readonly databaseUrl: string;
  /** Maximum number of this gateway's claims at a time. Default 500,000. */
  readonly maxEntries?: number;
  /** Default: the machine's. */
  readonly clock?: Pick<Clock, 'now' | 'monotonic'>;
}

const MAX_CONNECTIONS = 8;
const TIMEOUT_MS = 2_000;
/** As in `replay.claim`, which limits its wait whatever is set here. */
const LOCK_TIMEOUT_MS = 1_000;
/** A trial claim's: its row is removed by the claims that follow. */
const TRIAL_SECONDS = 1;
const DIGEST_BYTES = 32;
const CLAIM = { name: 'claim', text: 'select replay.claim($1, $2) as is_first' };

/**
 * For several gateways on one database. Claims that this gateway has seen are refused without a query, and it claims no more
 * than its memory has room for, which bounds the table by the number of gateways.
 *
 * @example
 * ```ts
 * import { PostgresProofReplayStore, type ProtectionOptions } from '@behalf/gateway';
 *
 * const replay = new PostgresProofReplayStore({ databaseUrl: process.env.REPLAY_DATABASE_URL ?? '' });
 * export const dpop: ProtectionOptions['dpop'] = { replay };
 * // When the gateway has stopped:
 * await replay.close();
 * ```
 */
export class PostgresProofReplayStore implements ProofReplayStore {
  /** The table outlives the gateway. */
  readonly knowsSinceSeconds = Number.NEGATIVE_INFINITY;
  readonly #databaseUrl: string;
  readonly #own: MemoryProofReplayStore;
  #pool: Promise<Pool> | undefined;

  /** @throws {ConfigurationError} naming the option */
  constructor(options: PostgresProofReplayOptions) {
    checkPostgresOptions(options);
    const { databaseUrl, maxEntries, clock } = options;
    this.#databaseUrl = databaseUrl;
    this.#own = new MemoryProofReplayStore(withoutUndefined({ maxEntries, clock }));
  }

  /**
   * Loads the driver, so that a missing one stops the start. Nothing connects before the first claim.
   *
   * @throws {ConfigurationError} when the package `pg` is not installed
   */
  async open(): Promise<void> {
    await this.#opened();
  }

  #opened(): Promise<Pool> {
    this.#pool ??= openPool(this.#databaseUrl);
    return this.#pool;
  }

  async claim(digest: string, keepSeconds: number): Promise<boolean> {
    const isFirstHere = await this.#own.claim(digest, keepSeconds);
    if (!isFirstHere) return false;
    return this.#claimThere(Buffer.from(digest, 'base64url'), Math.ceil(keepSeconds));
  }

  /**
   * Makes a claim for a proof that nobody has, because only that learns whether the database accepts writes, by this role, and
   * has room.
   *
   * @throws {ProofReplayStoreError}
   */
  async check(): Promise<void> {
    await this.#own.check();
    await this.#claimThere(randomBytes(DIGEST_BYTES), TRIAL_SECONDS);
  }

  async #claimThere(digest: Buffer, keepSeconds: number): Promise<boolean> {
    let isFirst: unknown;
    try {
      const { rows } = await (
        await this.#opened()
      ).query<{ is_first: unknown }>({
        ...CLAIM,
        values: [digest, keepSeconds],
      });
      isFirst = rows[0]?.is_first;
    } catch (cause) {
      throw new ProofReplayStoreError('REPLAY_STORE_UNREACHABLE', { cause });
    }
    if (isFirst === null) throw new ProofReplayStoreError('REPLAY_STORE_FULL');
    if (typeof isFirst !== 'boolean') throw new ProofReplayStoreError('REPLAY_STORE_UNREACHABLE');
    return isFirst;
  }

  async close(): Promise<void> {
    // If the driver could not be loaded, there is nothing to end.
    const pool = await this.#pool?.catch(() => undefined);
    await pool?.end();
    await this.#own.close();
  }
}

async function openPool(databaseUrl: string): Promise<Pool> {
  const { default: pg } = await importOptional('dpop.database', 'pg', async () => import('pg'));
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: MAX_CONNECTIONS,
    application_name: 'behalf-replay',
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
    // The server's limit, so that an abandoned claim does not hold a connection.
    statement_timeout: TIMEOUT_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    idle_in_transaction_session_timeout: TIMEOUT_MS,
  });
  // The next claim replaces a connection that broke while idle, and reports if it cannot.
  pool.on('error', () => undefined);
  return pool;
}
