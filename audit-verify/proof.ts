import { hashOf, parseEntry } from './entry.js';
import { VerificationError } from './errors.js';
import { equal, isIncluded, leafHash } from './merkle.js';
import { verifyCheckpoint } from './policy.js';
import type { Policy, TrustedCheckpoint } from './policy.js';
import { parseBase64, parseHash, parseSize } from './text.js';

const FIRST_LINE = 'c2sp.org/tlog-proof@v1';
/** A record has at most 1 MiB, base64 a third more, and a checkpoint at most 1 MiB. */
const MAX_PROOF_LENGTH = 4 * 1024 * 1024;
const MAX_HASHES = 63;
const ENTRY_LINES = 4;

/** A proof that something is in a log, nothing of it verified yet (C2SP tlog-proof v1). */
export interface Proof {
  readonly extra: Buffer | undefined;
  readonly index: number;
  readonly hashes: readonly Buffer[];
  /** The checkpoint as it is written. */
  readonly checkpoint: string;
}

/** @throws {VerificationError} `MALFORMED` */
export function parseProof(text: string): Proof {
  if (text.length > MAX_PROOF_LENGTH) throw malformed('the proof is too long');
  const end = text.indexOf('\n\n');
  if (end === -1) throw malformed('the proof has no checkpoint');
  const [first, ...lines] = text.slice(0, end).split('\n');
  if (first !== FIRST_LINE) throw malformed(`the proof does not begin with ${FIRST_LINE}`);
  const extra = lines[0]?.startsWith('extra ') === true ? lines.shift()?.slice('extra '.length) : undefined;
  const index = lines.shift();
  if (index?.startsWith('index ') !== true) throw malformed('the proof has no index line');
  if (lines.length > MAX_HASHES) throw malformed(`the proof has over ${MAX_HASHES} hashes`);
  return {
    extra: extra === undefined ? undefined : parseBase64(extra, 'the extra data'),
    index: parseSize(index.slice('index '.length), 'the index'),
    hashes: lines.map((line, at) => parseHash(line, `hash ${at + 1} of the proof`)),
    checkpoint: text.slice(end + 2),
  };
}

/**
 * Verifies that a leaf is in a log that the policy trusts. This is for entries of any kind; for records of Behalf, whose proofs
 * carry them, see {@link verifyProof}.
 *
 * @throws {VerificationError} `MALFORMED`, `SIGNATURE`, `QUORUM` or `PROOF`
 */
export function verifyLeaf(leaf: Uint8Array, proof: Proof, policy: Policy): TrustedCheckpoint {
  const checkpoint = verifyCheckpoint(proof.checkpoint, policy);
  if (!isIncluded(leaf, proof.index, checkpoint.size, proof.hashes, checkpoint.root)) {
    throw new VerificationError(
      'PROOF',
      `the entry is not at ${proof.index} in the log of size ${checkpoint.size} that was signed`,
    );
  }
  return checkpoint;
}

/** The statement of a valid proof. */
export interface ProvenRecord {
  /** The audit record (see `docs/reference/claims.md`). */
  readonly record: Readonly<Record<string, unknown>>;
  readonly recordClass: string;
  /** When the log's database stored the record, in milliseconds since the epoch. */
  readonly recordedAtMs: number;
  readonly index: number;
  /** The leaf, base64url: what the response named as `behalf-receipt`. */
  readonly receipt: string;
  readonly checkpoint: TrustedCheckpoint;
}

/**
 * Verifies a `.tlog-proof` of Behalf, offline: the text and the keys that you trust are all it needs.
 *
 * @param text as `behalf audit prove` wrote it
 * @param policy the log's key, and those of the witnesses that must have cosigned
 * @throws {VerificationError} `MALFORMED`, `SIGNATURE`, `QUORUM`, `PROOF` or `CHANGED`
 *
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs';
 * import { parsePolicy, verifyProof } from '@behalf/audit-verify';
 *
 * const policy = parsePolicy(readFileSync('log.policy', 'utf8'));
 * const { record, checkpoint } = verifyProof(readFileSync('read.tlog-proof', 'utf8'), policy);
 * console.log(record.outcome, `is record ${checkpoint.size} or earlier of ${checkpoint.origin}`);
 * ```
 */
export function verifyProof(text: string, policy: Policy): ProvenRecord {
  const proof = parseProof(text);
  const { entry, content } = parseExtra(proof.extra);
  const leaf = leafHash(entry);
  const checkpoint = verifyLeaf(leaf, proof, policy);
  const { recordedAtMs, recordClass, contentHash } = parseEntry(entry);
  if (!equal(contentHash, hashOf(content))) {
    throw new VerificationError('CHANGED', 'the record is not the one that was logged');
  }
  return {
    record: parseRecord(content),
    recordClass,
    recordedAtMs,
    index: proof.index,
    receipt: leaf.toString('base64url'),
    checkpoint,
  };
}

/** The entry, which has four lines, and behind it the record's text. */
function parseExtra(extra: Buffer | undefined): { entry: Buffer; content: string } {
  if (extra === undefined) throw malformed('the proof does not carry its record');
  let end = 0;
  for (let line = 0; line < ENTRY_LINES; line++) {
    end = extra.indexOf('\n', end) + 1;
    if (end === 0) throw malformed('the record of the proof is malformed');
  }
  return { entry: extra.subarray(0, end), content: extra.toString('utf8', end) };
}

/** @throws {VerificationError} `MALFORMED` */
export function parseRecord(content: string): Readonly<Record<string, unknown>> {
  let record: unknown;
  try {
    record = JSON.parse(content);
  } catch {
    throw malformed('the record is not JSON');
  }
  if (typeof record !== 'object' || record === null || Array.isArray(record)) {
    throw malformed('the record is not an object');
  }
  return record as Readonly<Record<string, unknown>>;
}

function malformed(message: string): VerificationError {
  return new VerificationError('MALFORMED', message);
}
