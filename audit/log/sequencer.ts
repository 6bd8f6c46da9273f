import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { Clock } from '@behalf/directives';
import { systemClock } from '@behalf/directives/internal';
import { createPartitions } from '../partitions.js';
import type { AuditDatabase } from '../schema.js';
import { pruneCheckpoints, signHead } from './checkpoints.js';
import { LogError } from './errors.js';
import { integrate } from './integrate.js';
import type { Head } from './integrate.js';
import { newestSigned } from './key-continuity.js';
import type { LastSigned } from './last-signed.js';
import type { NoteKey } from './note.js';
import { ProofMaker } from './proofs.js';
import { tileReader } from './tile-reader.js';
import type { Witnessing } from './witnessing.js';

/** Records are provable within a second of being durable. */
const DEFAULT_INTERVAL_MS = 200;
/** Another sequencer takes over this long after one died. */
const DEFAULT_LEASE_MS = 3_000;
/** A lease that ends later was not taken by a sequencer, or by the clock of a database that was wrong: it is void. */
const MAX_LEASE_MS = 600_000;
const TEND_EVERY_MS = 3_600_000;
/** A fault that stays is told this often. */
const SAME_FAULT_EVERY_MS = 60_000;

/** After witnesses did not cosign. */
const COSIGN_AGAIN_MS = 5_000;

interface Cosigning {
  readonly head: Head;
  readonly note: string;
}

/** Where a sequencer tells what went wrong. */
export interface SequencerLog {
  log(
    level: 'info' | 'warn' | 'error',
    code: string,
    facts?: Readonly<Record<string, string | number>>,
  ): void;
}

/** The options of {@link Sequencer}. */
export interface SequencerOptions {
  /** Connected as the owner of the log's tables. */
  readonly db: Kysely<AuditDatabase>;
  /** Keys of the log. Each signs every checkpoint: while a key is replaced, there are two. All have the log's origin as name. */
  readonly keys: readonly [NoteKey, ...NoteKey[]];
  /** What was signed on this machine; one beside each key. */
  readonly lastSigned?: readonly LastSigned[] | undefined;
  /** Whether the keys may sign although none of them signed the newest checkpoint: it is lost, as the log itself says. Default: false. */
  readonly replacesLostKey?: boolean | undefined;
  readonly witnessing?: Witnessing | undefined;
  /** Whether checkpoints, and so proofs, count only with the quorum of witnesses. Default: false. */
  readonly needsWitnesses?: boolean | undefined;
  readonly intervalMs?: number | undefined;
  readonly leaseMs?: number | undefined;
  readonly log: SequencerLog;
  /** Default: the machine's. */
  readonly clock?: Clock | undefined;
}

/**
 * Puts records into the log's tree and signs its head. Any number may run; the one that holds the lease works. The lease only
 * saves work: what makes two of them harmless is that the head's row is locked while the tree grows, and that only committed
 * heads are signed.
 */
export class Sequencer {
  readonly #options: SequencerOptions;
  readonly #clock: Clock;
  readonly #origin: string;
  readonly #holder = randomUUID();
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;
  #tendedAtMs = -Infinity;
  #fault: { readonly code: string; readonly toldAtMs: number } | undefined;
  #signedSize = -1;
  /** The newest head that is not witnessed yet. */
  #unwitnessed: Cosigning | undefined;
  #cosigning: Promise<void> | undefined;
  #isRefusedUntilMs = -Infinity;
  readonly #warnedAtMs = new Map<string, number>();
  #contradiction: string | undefined;

  constructor(options: SequencerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#origin = options.keys[0].name;
  }

  /** The code of what keeps the log from growing; undefined if nothing does, or another sequencer works. */
  get fault(): string | undefined {
    return this.#fault?.code;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when the current round has ended. What waits stays durable, and is integrated by the next sequencer. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
    await this.#cosigning;
    await this.#endLease().catch(() => undefined);
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        await this.round();
        this.#fault = undefined;
      } catch (error) {
        this.#tell(error);
        // What is wrong may be this machine's only: its key, its disk, its options. Another sequencer can try.
        await this.#endLease().catch(() => undefined);
      }
      await this.#clock.sleep(this.#options.intervalMs ?? DEFAULT_INTERVAL_MS, this.#closing.signal);
    }
  }

  /**
   * Integrates all that waits, signs the head, and asks the witnesses.
   *
   * @returns false if another sequencer has the lease
   * @throws {LogError}, or the database's error; nothing is signed then
   */
  async round(): Promise<boolean> {
    if (!(await this.#takeLease())) return false;
    const { db, needsWitnesses = false } = this.#options;
    if (this.#contradiction !== undefined) {
      this.#startCosigning(() => this.#newestSigned());
      throw new LogError('LOG_ROLLED_BACK', this.#contradiction);
    }
    const now = this.#clock.monotonic();
    if (now - this.#tendedAtMs > TEND_EVERY_MS) {
      await createPartitions(db);
      await pruneCheckpoints(db);
      await db.updateTable('audit.head').set({ needs_witnesses: needsWitnesses }).execute();
      this.#tendedAtMs = now;
    }
    for (;;) {
      const { head, hasMore } = await integrate(db, this.#origin);
      await this.#sign(head);
      if (!hasMore || this.#closing.signal.aborted) return true;
    }
  }

  async #sign(head: Head): Promise<void> {
    const { db, keys, lastSigned = [], replacesLostKey = false } = this.#options;
    if (head.size !== this.#signedSize) {
      for (const last of lastSigned) await last.refuseOlder(head);
      const remember = async (): Promise<void> => {
        for (const last of lastSigned) await last.remember(head);
      };
      const checkpoint = await signHead(db, head, { keys, remember, replacesLostKey });
      this.#signedSize = head.size;
      this.#unwitnessed = checkpoint.isWitnessed ? undefined : { head, note: checkpoint.note };
    }
    const unwitnessed = this.#unwitnessed;
    if (unwitnessed !== undefined) this.#startCosigning(async () => unwitnessed);
  }

  /** Beside the next rounds: a witness that is slow must not keep records out of the log. */
  #startCosigning(find: () => Promise<Cosigning | undefined>): void {
    if (this.#clock.monotonic() < this.#isRefusedUntilMs) return;
    this.#cosigning ??= this.#cosign(find)
      .catch((error: unknown) => this.#tell(error))
      .finally(() => (this.#cosigning = undefined));
  }

  /** While the log is stopped: somebody may have put back the database that the witnesses know. Nothing is signed for this. */
  async #newestSigned(): Promise<Cosigning | undefined> {
    const newest = await newestSigned(this.#options.db, this.#origin);
    if (newest === undefined) return undefined;
    const { note, root, size } = newest;
    return { head: { origin: this.#origin, size, root }, note };
  }

  async #cosign(find: () => Promise<Cosigning | undefined>): Promise<void> {
    const { db, witnessing } = this.#options;
    const asked = await find();
    if (witnessing === undefined || asked === undefined) return;
    const { head, note } = asked;
    const proofs = new ProofMaker(tileReader(db));
    const {
      contradiction,
      isWitnessed,
      note: cosigned,
      unproven,
    } = await witnessing.cosign({ ...head, note }, (oldSize) => proofs.consistency(oldSize, head.size));
    await db
      .updateTable('audit.checkpoint')
      .set({ note: cosigned, is_witnessed: isWitnessed })
      .where('origin', '=', head.origin)
      .where('size', '=', head.size)
      .execute();
    this.#contradiction = contradiction;
    if (isWitnessed && this.#unwitnessed === asked) this.#unwitnessed = undefined;
    if (!isWitnessed || contradiction !== undefined)
      this.#isRefusedUntilMs = this.#clock.monotonic() + COSIGN_AGAIN_MS;
    const { origin, size } = head;
    if (unproven !== undefined) this.#warn('WITNESS_CLAIM_UNPROVEN', { origin, size, reason: unproven });
    if (!isWitnessed) this.#warn('LOG_NOT_WITNESSED', { origin, size });
  }

  #warn(code: string, facts: Readonly<Record<string, string | number>>): void {
    const now = this.#clock.monotonic();
    if (now - (this.#warnedAtMs.get(code) ?? -Infinity) < SAME_FAULT_EVERY_MS) return;
    this.#warnedAtMs.set(code, now);
    this.#options.log.log('warn', code, facts);
  }

  /** The witnesses' answer to what was asked last, for tests and for the end. */
  async settled(): Promise<void> {
    await this.#cosigning;
  }

  async #takeLease(): Promise<boolean> {
    const ms = this.#options.leaseMs ?? DEFAULT_LEASE_MS;
    const { rows } = await sql`
      insert into audit.sequencer as current (holder, until)
      values (${this.#holder}, clock_timestamp() + make_interval(secs => ${ms / 1_000}::double precision))
      on conflict (is_only) do update set holder = excluded.holder, until = excluded.until
        where current.holder = excluded.holder or current.until < clock_timestamp()
          or current.until > clock_timestamp() + make_interval(secs => ${MAX_LEASE_MS / 1_000}::double precision)
      returning holder`.execute(this.#options.db);
    return rows.length > 0;
  }

  async #endLease(): Promise<void> {
    await sql`delete from audit.sequencer where holder = ${this.#holder}`.execute(this.#options.db);
  }

  #tell(error: unknown): void {
    const code = error instanceof LogError ? error.code : 'LOG_NOT_INTEGRATED';
    const now = this.#clock.monotonic();
    const isTold = this.#fault?.code === code && now - this.#fault.toldAtMs < SAME_FAULT_EVERY_MS;
    if (isTold) return;
    this.#fault = { code, toldAtMs: now };
    // A LogError has sizes and names only; the database's own messages could quote values.
    const reason =
      error instanceof LogError ? error.message : error instanceof Error ? error.name : 'unknown';
    this.#options.log.log('error', code, { origin: this.#origin, reason });
  }
}
