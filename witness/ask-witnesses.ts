import { parsePolicy, VerificationError, verifyCheckpoint } from '@behalf/audit-verify';
import type { Checkpoint, Policy, PolicyWitness } from '@behalf/audit-verify';
import { parseCheckpoint, parseNote, parseSize, verifySignatures } from '@behalf/audit-verify/internal';
import { contradictionOf, provenCheckpoint } from './contradiction.js';
import type { ProveConsistency } from './contradiction.js';
import { getCheckpoint, postCheckpoint } from './witness-client.js';

/** A checkpoint that a log signed. */
export interface Submitted {
  readonly origin: string;
  readonly size: number;
  readonly note: string;
}

/** What the witnesses of a log answered. */
export interface WitnessedCheckpoint {
  /** With the cosignatures that were obtained. */
  readonly note: string;
  /** Whether they are the policy's quorum. */
  readonly isWitnessed: boolean;
  /**
   * Why the log must not be continued: a witness cosigned a longer log, or one that this one does not continue, and shows that
   * checkpoint with the log's own signature. It stays until the witness shows or cosigns something else, or the log continues it.
   * Undefined otherwise; a witness that cannot be reached is no reason.
   */
  readonly contradiction?: string | undefined;
  /** What a witness says without showing a checkpoint that proves it: no reason to stop, but one to ask its operator. */
  readonly unproven?: string | undefined;
}

/** What one witness answered. */
interface Answer {
  readonly line?: string;
  readonly contradiction?: string;
  readonly unproven?: string;
}

/**
 * Asks the witnesses of a policy to cosign a log's checkpoints (C2SP tlog-witness).
 *
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs';
 * import { Witnesses } from '@behalf/witness';
 *
 * const witnesses = new Witnesses(readFileSync('log.policy', 'utf8'));
 * const note = readFileSync('checkpoint', 'utf8');
 * const { isWitnessed } = await witnesses.cosign({ origin: 'log.example', size: 1, note }, async () => []);
 * console.log(isWitnessed);
 * ```
 */
export class Witnesses {
  readonly #policy: Policy;
  readonly #withUrl: readonly PolicyWitness[];
  /** The size that a witness cosigned last, as far as it is known. */
  readonly #sizes = new Map<string, number>();
  /** The checkpoint by which a witness proved last that it knows another log. */
  readonly #proven = new Map<string, Checkpoint>();

  /** @param policy a C2SP tlog-policy. Witnesses with a URL are asked. @throws VerificationError for its line */
  constructor(policy: string) {
    this.#policy = parsePolicy(policy);
    this.#withUrl = this.#policy.witnesses.filter(({ url }) => url !== undefined);
  }

  async cosign(checkpoint: Submitted, proveConsistency: ProveConsistency): Promise<WitnessedCheckpoint> {
    const answers = await Promise.all(
      this.#withUrl.map((witness) => this.#ask(witness, checkpoint, proveConsistency)),
    );
    const lines = answers.flatMap(({ line }) => (line === undefined ? [] : [line]));
    const note = `${checkpoint.note}${lines.join('')}`;
    const contradiction = answers.find((answer) => answer.contradiction !== undefined)?.contradiction;
    const unproven = answers.find((answer) => answer.unproven !== undefined)?.unproven;
    return { note, isWitnessed: this.#isQuorum(note), contradiction, unproven };
  }

  #isQuorum(note: string): boolean {
    try {
      verifyCheckpoint(note, this.#policy);
      return true;
    } catch (error) {
      if (error instanceof VerificationError) return false;
      throw error;
    }
  }

  async #ask(witness: PolicyWitness, checkpoint: Submitted, prove: ProveConsistency): Promise<Answer> {
    const { claim, line } = await this.#submit(witness, checkpoint, prove);
    if (line !== undefined) {
      this.#proven.delete(witness.name);
      return { line };
    }
    if (claim !== undefined) {
      const text = await getCheckpoint(witness, checkpoint.origin);
      const shown =
        text === undefined ? undefined : provenCheckpoint(text, checkpoint.origin, witness, this.#policy);
      if (shown !== undefined) this.#proven.set(witness.name, shown);
    }
    const proven = this.#proven.get(witness.name);
    const contradiction =
      proven === undefined
        ? undefined
        : await contradictionOf(parseCheckpoint(checkpoint.note), proven, prove);
    if (contradiction !== undefined) return { contradiction: `${witness.name} ${contradiction}` };
    return claim === undefined ? {} : { unproven: `${witness.name} ${claim}, and does not prove it` };
  }

  /** @returns its cosignature, or what it says against the checkpoint */
  async #submit(
    witness: PolicyWitness,
    checkpoint: Submitted,
    prove: ProveConsistency,
  ): Promise<{ readonly line?: string; readonly claim?: string }> {
    // A witness that is not known yet tells its size, and is asked once more.
    for (let attempt = 0; attempt < 2; attempt++) {
      const known = this.#sizes.get(witness.name) ?? 0;
      const oldSize = known > checkpoint.size ? 0 : known;
      const answer = await postCheckpoint(witness, await bodyOf(checkpoint, oldSize, prove));
      if (answer?.status === 200) {
        const line = cosignatureOf(witness, checkpoint.note, answer.body);
        if (line === undefined) return {};
        this.#sizes.set(witness.name, checkpoint.size);
        return { line };
      }
      if (answer?.status === 422) return { claim: 'says that it cosigned another log' };
      if (answer?.status !== 409) return {};
      const size = sizeOf(answer.body);
      if (size === undefined) return {};
      if (size > checkpoint.size || size === oldSize)
        return { claim: `says that it cosigned a log of ${size} entries` };
      this.#sizes.set(witness.name, size);
    }
    return {};
  }
}

async function bodyOf(
  { note }: Submitted,
  oldSize: number,
  proveConsistency: ProveConsistency,
): Promise<string> {
  const proof = await proveConsistency(oldSize);
  const lines = proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`);
  return `old ${oldSize}\n${lines.join('')}\n${note}`;
}

/** The witness's own line, if its signature holds. Others that it sent are ignored. */
function cosignatureOf({ key }: PolicyWitness, note: string, lines: string): string | undefined {
  for (const line of lines.split('\n')) {
    try {
      const found = verifySignatures(parseNote(`${note}${line}\n`), [key]);
      if (found.length > 0) return `${line}\n`;
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error;
    }
  }
  return undefined;
}

function sizeOf(body: string): number | undefined {
  try {
    return parseSize(body.trimEnd(), 'the size');
  } catch (error) {
    if (error instanceof VerificationError) return undefined;
    throw error;
  }
}
