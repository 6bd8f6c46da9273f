import { VerificationError } from '@behalf/audit-verify';
import type { Checkpoint, Policy, PolicyWitness } from '@behalf/audit-verify';
import {
  hasPossibleRoot,
  isConsistent,
  parseCheckpoint,
  verifySignatures,
} from '@behalf/audit-verify/internal';

/** Makes the proof that the log begins with an older one. */
export type ProveConsistency = (oldSize: number) => Promise<readonly Uint8Array[]>;

/**
 * A checkpoint that a witness shows, if the log itself signed it and the witness cosigned it. Anything else proves nothing: a
 * witness, or whoever answers at its address, can say what it likes.
 */
export function provenCheckpoint(
  text: string,
  origin: string,
  witness: PolicyWitness,
  { logs }: Policy,
): Checkpoint | undefined {
  try {
    const checkpoint = parseCheckpoint(text);
    if (checkpoint.origin !== origin || !hasPossibleRoot(checkpoint)) return undefined;
    const logKeys = logs.map(({ key }) => key).filter(({ name }) => name === origin);
    const isProven = [logKeys, [witness.key]].every(
      (keys) => verifySignatures(checkpoint.note, keys).length > 0,
    );
    return isProven ? checkpoint : undefined;
  } catch (error) {
    if (error instanceof VerificationError) return undefined;
    throw error;
  }
}

/** @returns how a log contradicts a checkpoint of it that was proven; undefined if it begins with that */
export async function contradictionOf(
  log: Checkpoint,
  proven: Checkpoint,
  prove: ProveConsistency,
): Promise<string | undefined> {
  const { size, root } = proven;
  if (size > log.size) return `cosigned a log of ${size} entries`;
  const proof = size === 0 ? [] : await prove(size);
  if (isConsistent(size, root, log.size, log.root, proof)) return undefined;
  return `cosigned another log of ${size} entries, which this one does not continue`;
}
