import type { Checkpoint, Policy, VerifierKey } from '@behalf/audit-verify';
import { VerificationError } from '@behalf/audit-verify';
import {
  hasPossibleRoot,
  isConsistent,
  parseCheckpoint,
  parseHash,
  parseSize,
  signatureLineOf,
  verifySignatures,
} from '@behalf/audit-verify/internal';
import type { Cosigner } from './cosigner.js';
import { WitnessError } from './errors.js';
import type { WitnessMemory } from './memory.js';

/** C2SP tlog-witness: a client must not send more. */
const MAX_PROOF_LINES = 63;

/** How often it decides again, because another process has cosigned something meanwhile. */
const MAX_DECISIONS = 10;

/** The answer to `add-checkpoint`. */
export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422;
  readonly contentType: string;
  readonly body: string;
}

interface Submission {
  readonly oldSize: number;
  readonly proof: readonly Buffer[];
  /** As it was sent. */
  readonly text: string;
}

/** What a witness decides by. */
export interface WitnessParts {
  /** The logs whose checkpoints it cosigns. */
  readonly policy: Pick<Policy, 'logs'>;
  readonly cosigner: Cosigner;
  readonly memory: WitnessMemory;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Decides whether to cosign (C2SP tlog-witness v1.0.0, "add-checkpoint"). It begins denied: a checkpoint is cosigned only when
 * it was shown to continue the one that was cosigned before, and that is on disk before the answer exists.
 *
 * Two calls for one log should not run at the same time, because one of them has to decide again; {@link Witness} sees to that.
 *
 * @throws {WitnessError} `WITNESS_STATE_UNUSABLE`; the file system's error
 */
export async function addCheckpoint(body: string, parts: WitnessParts): Promise<WitnessAnswer> {
  for (let decisions = 0; decisions < MAX_DECISIONS; decisions++) {
    const answer = await decide(body, parts);
    if (answer !== undefined) return answer;
  }
  throw new WitnessError('WITNESS_STATE_UNUSABLE', 'other processes cosign all the time with the same state');
}

/** @returns undefined if another process has cosigned something since the decision */
async function decide(body: string, parts: WitnessParts): Promise<WitnessAnswer | undefined> {
  const { cosigner, memory, now, policy } = parts;
  const submission = attempt(() => parseSubmission(body));
  if (submission === undefined) return refusal(400, 'the request is malformed');
  const checkpoint = attempt(() => parseCheckpoint(submission.text));
  if (checkpoint === undefined) return refusal(400, 'the checkpoint is malformed');
  const keys = policy.logs.map(({ key }) => key).filter(({ name }) => name === checkpoint.origin);
  if (keys.length === 0) return refusal(404, 'the log is unknown');
  const signedBy = attempt(() => verifySignatures(checkpoint.note, keys).map(({ key }) => key)) ?? [];
  if (signedBy.length === 0) return refusal(403, 'no trusted key of the log signed the checkpoint');
  if (submission.oldSize > checkpoint.size) return refusal(400, 'the old size is larger than the checkpoint');
  const last = await memory.last(checkpoint.origin);
  const lastSize = last?.checkpoint.size ?? 0;
  if (submission.oldSize !== lastSize) {
    return { status: 409, contentType: 'text/x.tlog.size', body: `${lastSize}\n` };
  }
  if (!hasPossibleRoot(checkpoint)) return refusal(422, 'a log of size 0 has the root of the empty tree');
  if (!continues(checkpoint, last?.checkpoint, submission.proof)) {
    return refusal(422, 'the checkpoint does not continue the one that was cosigned last');
  }
  const cosignature = cosigner.cosign(checkpoint.note.text, now());
  const text = `${signedNote(checkpoint, signedBy)}${cosignature}`;
  if (!(await memory.remember(last, checkpoint, text))) return undefined;
  return { status: 200, contentType: 'text/plain; charset=utf-8', body: cosignature };
}

/** Whether the log only grew since the last checkpoint. Any log continues the empty one, which needs no proof. */
function continues(checkpoint: Checkpoint, last: Checkpoint | undefined, proof: readonly Buffer[]): boolean {
  if (last === undefined || last.size === 0) return proof.length === 0;
  return isConsistent(last.size, last.root, checkpoint.size, checkpoint.root, proof);
}

/** @throws {VerificationError} `MALFORMED` */
function parseSubmission(body: string): Submission {
  const end = body.indexOf('\n\n');
  if (end === -1) throw new VerificationError('MALFORMED', 'there is no checkpoint');
  const [first = '', ...lines] = body.slice(0, end).split('\n');
  if (!first.startsWith('old ')) throw new VerificationError('MALFORMED', 'there is no old size');
  if (lines.length > MAX_PROOF_LINES) throw new VerificationError('MALFORMED', 'the proof is too long');
  return {
    oldSize: parseSize(first.slice('old '.length), 'the old size'),
    proof: lines.map((line, at) => parseHash(line, `hash ${at + 1} of the proof`)),
    text: body.slice(end + 2),
  };
}

/** The checkpoint with the log's own signatures only: others were not verified. */
function signedNote({ note }: Checkpoint, signedBy: readonly VerifierKey[]): string {
  const lines = note.signatures.filter(({ id, name }) =>
    signedBy.some((key) => key.name === name && key.id === id),
  );
  return `${note.text}\n${lines.map(signatureLineOf).join('')}`;
}

function refusal(status: 400 | 403 | 404 | 422, reason: string): WitnessAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${reason}\n` };
}

/** @returns undefined for what cannot be verified */
function attempt<T>(verify: () => T): T | undefined {
  try {
    return verify();
  } catch (error) {
    if (error instanceof VerificationError) return undefined;
    throw error;
  }
}
