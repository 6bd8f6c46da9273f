import { parseCheckpoint } from './checkpoint.js';
import type { Checkpoint } from './checkpoint.js';
import { hashOf, parseEntry } from './entry.js';
import type { Entry } from './entry.js';
import { lastErasures, readErasure } from './erasure.js';
import type { Erasure } from './erasure.js';
import { VerificationError } from './errors.js';
import { Findings } from './findings.js';
import type { Finding } from './findings.js';
import { Frontier } from './frontier.js';
import { followKeys } from './key-succession.js';
import { equal, HASH_BYTES, leafHash } from './merkle.js';
import { KEPT, PastCheckpoints, SEEN } from './past-checkpoints.js';
import { verifySignatures } from './note.js';
import { verifyCheckpoint } from './policy.js';
import type { Policy, TrustedCheckpoint } from './policy.js';
import type { LogSource } from './source.js';
import { parseBundle, TILE_WIDTH, tilesOf } from './tiles.js';
import type { TilePlace } from './tiles.js';
import { checkVerifyOptions } from './verify-options.js';
import type { VerifyLogOptions } from './verify-options.js';
import type { VerifierKey } from './vkey.js';

/** The result of {@link verifyLog}. */
export interface LogReport {
  /** The newest checkpoint, if it can be trusted. */
  readonly checkpoint: TrustedCheckpoint | undefined;
  readonly findings: readonly Finding[];
  /** Records whose text was compared with the tree. */
  readonly records: number;
  /** Records whose text was erased, as the log itself says. Only their entries were compared. */
  readonly erased: number;
  /** What the log says was erased, in its order. */
  readonly erasures: readonly Erasure[];
  /** Keys of the log that its earlier keys introduced, in their order. */
  readonly successors: readonly VerifierKey[];
}

/**
 * Verifies a whole log: every record against its entry, every entry against the tree, the tree against the signed checkpoint, and
 * the checkpoint against those seen before.
 *
 * It reads everything once and keeps about a hundred hashes; a log from which records were erased it reads twice, because it says
 * so later than where they were.
 *
 * @throws {VerificationError} `OPTION_INVALID`, and what the source throws. What is wrong with the log is among the findings
 * instead
 *
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs';
 * import { FolderSource, parsePolicy, verifyLog } from '@behalf/audit-verify';
 *
 * const policy = parsePolicy(readFileSync('log.policy', 'utf8'));
 * const seen = [readFileSync('checkpoint-of-the-witness', 'utf8')];
 * const { findings, records } = await verifyLog(new FolderSource('export'), policy, { seen });
 * console.log(findings.length === 0 ? `${records} records are as they were logged` : findings);
 * ```
 */
export async function verifyLog(
  source: LogSource,
  policy: Policy,
  given: VerifyLogOptions = {},
): Promise<LogReport> {
  checkVerifyOptions(given);
  const { seen = [], maxFindings = 100 } = given;
  const options = { seen, maxFindings };
  const first = await readLog(source, policy, options, undefined);
  // With as many findings as were asked for, it did not read on to what the log says about the records that are missing.
  if (first.missing === 0 || first.report.findings.length >= maxFindings) return first.report;
  return (await readLog(source, policy, options, first.report.erasures)).report;
}

interface Reading {
  readonly report: LogReport;
  /** Records without their text. */
  readonly missing: number;
}

/** @param erasures undefined while it is not known yet what was erased: a missing text is then no finding */
async function readLog(
  source: LogSource,
  policy: Policy,
  { seen, maxFindings }: Required<VerifyLogOptions>,
  erasures: readonly Erasure[] | undefined,
): Promise<Reading> {
  const text = await source.checkpoint();
  const reader = new LogReader(source, policy, maxFindings, erasures);
  if (text === undefined) {
    reader.findings.add('MISSING', 'the log has no checkpoint');
    return reader.result(undefined);
  }
  const head = reader.findings.attempt(() => parseCheckpoint(text));
  if (head === undefined) return reader.result(undefined);
  const past = new PastCheckpoints(head, reader.findings, (checkpoint) => reader.trusts(checkpoint));
  past.add(seen, SEEN);
  past.add((await source.earlierCheckpoints?.()) ?? [], KEPT);
  await reader.read(head, past);
  past.end();
  const { policyNow } = reader;
  return reader.result(reader.findings.attempt(() => verifyCheckpoint(text, policyNow)));
}

class LogReader {
  readonly #source: LogSource;
  readonly findings: Findings;
  readonly #frontier = new Frontier();
  /** For each level above the lowest: the hashes of whole tiles that its next tile will hold. */
  readonly #levels: Buffer[][] = [];
  readonly #successors: VerifierKey[] = [];
  #policy: Policy;
  #records = 0;
  #missing = 0;
  #erased = 0;
  /** Records of a class that were stored before this time may be gone. Undefined while that is not known. */
  readonly #erasedBeforeMs: ReadonlyMap<string, number> | undefined;
  readonly #erasures: Erasure[] = [];

  constructor(source: LogSource, policy: Policy, maxFindings: number, erasures?: readonly Erasure[]) {
    this.#source = source;
    this.#policy = policy;
    this.findings = new Findings(maxFindings);
    this.#erasedBeforeMs = erasures === undefined ? undefined : lastErasures(erasures);
  }

  /** With the keys that the log introduced. */
  get policyNow(): Policy {
    return this.#policy;
  }

  /** Whether a key that is trusted so far signed a checkpoint. */
  trusts({ note, origin }: Checkpoint): boolean {
    const keys = this.#policy.logs.map(({ key }) => key).filter(({ name }) => name === origin);
    try {
      return verifySignatures(note, keys).length > 0;
    } catch (error) {
      if (error instanceof VerificationError) return false;
      throw error;
    }
  }

  result(checkpoint: TrustedCheckpoint | undefined): Reading {
    const report = {
      checkpoint,
      findings: this.findings.all,
      records: this.#records,
      erased: this.#erased,
      erasures: this.#erasures,
      successors: this.#successors,
    };
    return { report, missing: this.#missing };
  }

  async read(head: Checkpoint, past: PastCheckpoints): Promise<void> {
    for (const place of tilesOf(head.size)) {
      if (this.findings.isFull) return;
      const leaves = await this.#readBundle(place);
      if (leaves === undefined) return;
      for (const leaf of leaves) {
        past.compare(this.#frontier);
        this.#frontier.append(leaf);
      }
      if (place.width === TILE_WIDTH) await this.#addTile(1, leaves);
    }
    past.compare(this.#frontier);
    await this.#compareTopTiles();
    if (!equal(this.#frontier.root(), head.root)) {
      this.findings.add('CHANGED', `the ${head.size} entries do not have the root that was signed`);
    }
  }

  /** The leaves of a bundle; undefined when it is not there, so that nothing behind it has its place. */
  async #readBundle(place: TilePlace): Promise<readonly Buffer[] | undefined> {
    const first = place.index * TILE_WIDTH;
    const [bundle, tile, records] = await Promise.all([
      this.#source.entries(place),
      this.#source.tile(0, place),
      this.#source.records(place),
    ]);
    const range = `entries ${first} to ${first + place.width - 1}`;
    const entries =
      bundle === undefined
        ? undefined
        : this.findings.attempt(() => parseBundle(bundle), `${range}: `, first);
    if (entries === undefined || entries.length < place.width) {
      const at = first + (entries?.length ?? 0);
      this.findings.add('MISSING', `entry ${at}: missing`, at);
      return undefined;
    }
    if (tile === undefined || tile.length < place.width * HASH_BYTES) {
      this.findings.add('MISSING', `hashes of ${range} are missing`, first);
    }
    const surplus = (records?.length ?? 0) - place.width;
    if (surplus > 0)
      this.findings.add(
        'CHANGED',
        `the records of ${range} are followed by ${surplus} that were never logged`,
        first,
      );
    return entries.slice(0, place.width).map((entry, at) => {
      const index = first + at;
      const leaf = leafHash(entry);
      const stored = tile?.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES);
      if (stored?.length === HASH_BYTES && !equal(stored, leaf)) {
        this.findings.addAt('CHANGED', 'entry', index, 'not what was hashed');
      }
      this.#compareRecord(index, entry, records?.[at]);
      return leaf;
    });
  }

  #compareRecord(index: number, entry: Buffer, content: string | null | undefined): void {
    const parsed = this.findings.attempt(() => parseEntry(entry), `entry ${index}: `, index);
    if (parsed === undefined) return;
    if (content === null || content === undefined) {
      this.#missing += 1;
      this.#judgeMissing(index, parsed);
      return;
    }
    if (!equal(hashOf(content), parsed.contentHash)) {
      this.findings.addAt('CHANGED', 'record', index, 'not what was logged');
      return;
    }
    this.#records += 1;
    const erasure = this.findings.attempt(
      () => readErasure(content, index, parsed),
      `record ${index}: `,
      index,
    );
    if (erasure !== undefined) this.#erasures.push(erasure);
    const successor = this.findings.attempt(
      () => followKeys(content, this.#policy),
      `record ${index}: `,
      index,
    );
    if (successor === undefined) return;
    this.#successors.push(successor);
    this.#policy = { ...this.#policy, logs: [...this.#policy.logs, { key: successor }] };
  }

  #judgeMissing(index: number, { recordClass, recordedAtMs }: Entry): void {
    if (this.#erasedBeforeMs === undefined) return;
    if (recordedAtMs < (this.#erasedBeforeMs.get(recordClass) ?? 0)) this.#erased += 1;
    else this.findings.addAt('MISSING', 'record', index, 'missing');
  }

  /** Compares the tile of a level when it is whole, and passes its hash to the level above. */
  async #addTile(level: number, hashes: readonly Buffer[]): Promise<void> {
    const tile = new Frontier();
    for (const hash of hashes) tile.append(hash);
    const above = (this.#levels[level] ??= []);
    above.push(tile.root());
    if (above.length % TILE_WIDTH !== 0) return;
    const whole = above.splice(0);
    await this.#compareTile(level, whole, TILE_WIDTH);
    await this.#addTile(level + 1, whole);
  }

  async #compareTopTiles(): Promise<void> {
    for (const [level, hashes] of this.#levels.entries()) {
      // The array has no level 0: its entries made those tiles.
      if (level > 0 && hashes.length > 0) await this.#compareTile(level, hashes, hashes.length);
    }
  }

  async #compareTile(level: number, hashes: readonly Buffer[], width: number): Promise<void> {
    const span = TILE_WIDTH ** (level + 1);
    const index = Math.floor((this.#frontier.size - 1) / span);
    const stored = await this.#source.tile(level, { index, width });
    if (stored === undefined || stored.length < width * HASH_BYTES) {
      this.findings.add('MISSING', `tile ${index} of level ${level} is missing`, index * span);
      return;
    }
    if (!equal(stored.subarray(0, width * HASH_BYTES), Buffer.concat(hashes))) {
      this.findings.add(
        'CHANGED',
        `tile ${index} of level ${level} does not have the hashes of its entries`,
        index * span,
      );
    }
  }
}
