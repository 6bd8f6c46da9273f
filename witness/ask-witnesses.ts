import { parsePolicy, VerificationError, verifyCheckpoint } from '@behalf/audit-verify';
import type { Policy, PolicyWitness } from '@behalf/audit-verify';
import { parseNote, parseSize, verifySignatures } from '@behalf/audit-verify/internal';

const TIMEOUT_MS = 5_000;
/** Cosignature lines, or the size of a log. */
const MAX_ANSWER_BYTES = 64 * 1024;

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
   * Why the log must not be continued: a witness cosigned a longer log, or another one of this size. Undefined otherwise; a
   * witness that cannot be reached is no reason.
   */
  readonly contradiction?: string;
}

type ProveConsistency = (oldSize: number) => Promise<readonly Uint8Array[]>;

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
    const result = { note, isWitnessed: this.#isQuorum(note) };
    return contradiction === undefined ? result : { ...result, contradiction };
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

  async #ask(
    witness: PolicyWitness,
    checkpoint: Submitted,
    proveConsistency: ProveConsistency,
  ): Promise<{ readonly line?: string; readonly contradiction?: string }> {
    // A witness that is not known yet tells its size, and is asked once more.
    for (let attempt = 0; attempt < 2; attempt++) {
      const oldSize = this.#sizes.get(witness.name) ?? 0;
      if (oldSize > checkpoint.size) return { contradiction: longer(witness, oldSize) };
      const answer = await post(witness, await bodyOf(checkpoint, oldSize, proveConsistency));
      if (answer?.status === 200) {
        const line = cosignatureOf(witness, checkpoint.note, answer.body);
        if (line === undefined) return {};
        this.#sizes.set(witness.name, checkpoint.size);
        return { line };
      }
      if (answer?.status === 422) {
        return { contradiction: `${witness.name} cosigned a log that this one does not continue` };
      }
      if (answer?.status !== 409) return {};
      const size = sizeOf(answer.body);
      if (size === undefined) return {};
      this.#sizes.set(witness.name, size);
    }
    return {};
  }
}

function longer({ name }: PolicyWitness, size: number): string {
  return `${name} cosigned a log of ${size} entries`;
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

/** @returns undefined if it does not answer */
async function post(
  { url = '' }: PolicyWitness,
  body: string,
): Promise<{ readonly status: number; readonly body: string } | undefined> {
  try {
    const response = await fetch(`${url.replace(/\/$/, '')}/add-checkpoint`, {
      method: 'POST',
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { status: response.status, body: await readBounded(response) };
  } catch {
    return undefined;
  }
}

/** @throws {RangeError} if it is too long */
async function readBounded(response: Response): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.length > MAX_ANSWER_BYTES) throw new RangeError('the answer is too long');
  }
  return text;
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
