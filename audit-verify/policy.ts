import { VerificationError } from './errors.js';
import { hasPossibleRoot, parseCheckpoint } from './checkpoint.js';
import type { Checkpoint } from './checkpoint.js';
import { verifySignatures } from './note.js';
import type { VerifiedSignature } from './note.js';
import { parseSize } from './text.js';
import { parseVerifierKey } from './vkey.js';
import type { VerifierKey } from './vkey.js';

const MAX_POLICY_LENGTH = 1024 * 1024;
/** C2SP tlog-policy asks for at least 32 logs, witnesses and groups. */
const MAX_LINES = 10_000;

/** A log that a policy trusts. */
export interface PolicyLog {
  readonly key: VerifierKey;
  readonly url?: string;
}

/** A witness that a policy knows. */
export interface PolicyWitness {
  readonly name: string;
  readonly key: VerifierKey;
  /** Its submission prefix (C2SP tlog-witness). */
  readonly url?: string;
}

interface Group {
  readonly needed: number;
  readonly members: readonly string[];
}

/** Which logs and witnesses are trusted, and which witnesses have to cosign (C2SP tlog-policy). */
export interface Policy {
  readonly logs: readonly PolicyLog[];
  readonly witnesses: readonly PolicyWitness[];
  /** Whether these witnesses, by their names in the policy, suffice. */
  readonly isQuorum: (cosigned: ReadonlySet<string>) => boolean;
  /** For messages: the name on the quorum line. */
  readonly quorum: string;
}

/**
 * Reads a policy.
 *
 * @throws {VerificationError} `MALFORMED`, with the number of the line
 *
 * @example
 * ```ts
 * import { parsePolicy } from '@behalf/audit-verify';
 *
 * const { logs, witnesses } = parsePolicy(`
 * log audit.bank.example+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k
 * quorum none
 * `);
 * console.log(`${logs.length} logs, ${witnesses.length} witnesses`);
 * ```
 */
export function parsePolicy(text: string): Policy {
  return readPolicy(text).policy();
}

/**
 * The logs of a policy, of which the other lines need not be there: a witness has no quorum.
 *
 * @throws {VerificationError} `MALFORMED`, with the number of the line, also if there is no log
 */
export function parseLogs(text: string): Pick<Policy, 'logs'> {
  const { logs } = readPolicy(text);
  if (logs.length === 0) throw malformed('the policy has no log line');
  return { logs };
}

function readPolicy(text: string): PolicyReader {
  if (typeof (text as unknown) !== 'string') throw malformed('the policy must be text');
  if (text.length > MAX_POLICY_LENGTH) throw malformed('the policy is too long');
  const reader = new PolicyReader();
  const lines = text.split('\n');
  if (lines.length > MAX_LINES) throw malformed(`the policy has over ${MAX_LINES} lines`);
  for (const [index, line] of lines.entries()) {
    try {
      reader.read(line);
    } catch (error) {
      if (error instanceof VerificationError) throw malformed(`line ${index + 1}: ${error.message}`);
      throw error;
    }
  }
  return reader;
}

class PolicyReader {
  readonly logs: PolicyLog[] = [];
  readonly #witnesses = new Map<string, PolicyWitness>();
  readonly #groups = new Map<string, Group>();
  readonly #members = new Set<string>();
  /** By the public key itself: the same key under two names is one key. */
  readonly #keys = new Set<string>();
  #quorum: string | undefined;

  read(line: string): void {
    // The specification permits no other control characters.
    if (/[\0-\x08\x0a-\x1f\x7f]/.test(line)) throw malformed('it has control characters');
    const items = line.split(/[ \t]+/).filter((item) => item !== '');
    const [keyword = '#', ...rest] = items;
    if (keyword.startsWith('#')) return;
    if (keyword === 'log') this.#readLog(rest);
    else if (keyword === 'witness') this.#readWitness(rest);
    else if (keyword === 'group') this.#readGroup(rest);
    else if (keyword === 'quorum') this.#readQuorum(rest);
    else throw malformed('it begins with none of log, witness, group and quorum');
  }

  policy(): Policy {
    const quorum = this.#quorum;
    if (quorum === undefined) throw malformed('the policy has no quorum line');
    const groups = [...this.#groups];
    return {
      logs: this.logs,
      witnesses: [...this.#witnesses.values()],
      quorum,
      isQuorum: (cosigned) => {
        if (quorum === 'none') return true;
        const holding = new Set(cosigned);
        // A group names only what stands above it, so one pass decides all.
        for (const [name, { needed, members }] of groups) {
          if (members.filter((member) => holding.has(member)).length >= needed) holding.add(name);
        }
        return holding.has(quorum);
      },
    };
  }

  #readLog([text, url, ...more]: readonly string[]): void {
    if (text === undefined || more.length > 0) throw malformed('expected: log KEY [URL]');
    const key = this.#newKey(text);
    if (key.type !== 'ed25519') throw malformed('a log signs with an Ed25519 key (type 1)');
    this.logs.push(url === undefined ? { key } : { key, url });
  }

  #readWitness([name, text, url, ...more]: readonly string[]): void {
    if (name === undefined || text === undefined || more.length > 0) {
      throw malformed('expected: witness NAME KEY [URL]');
    }
    this.#checkNewName(name);
    const key = this.#newKey(text);
    if (key.type !== 'cosignature') throw malformed('a witness signs with a cosignature key (type 4)');
    this.#witnesses.set(name, url === undefined ? { name, key } : { name, key, url });
  }

  #readGroup([name, threshold, ...members]: readonly string[]): void {
    if (name === undefined || threshold === undefined || members.length === 0) {
      throw malformed('expected: group NAME all|any|NUMBER MEMBER…');
    }
    this.#checkNewName(name);
    for (const member of members) {
      this.#checkKnownName(member);
      if (this.#members.has(member)) throw malformed(`${member} is already a member of a group`);
      this.#members.add(member);
    }
    const needed =
      threshold === 'all'
        ? members.length
        : threshold === 'any'
          ? 1
          : parseSize(threshold, 'the number of members');
    if (needed < 1 || needed > members.length) {
      throw malformed(`${needed} of ${members.length} members is impossible`);
    }
    this.#groups.set(name, { needed, members });
  }

  #readQuorum([name, ...more]: readonly string[]): void {
    if (name === undefined || more.length > 0) throw malformed('expected: quorum NAME');
    if (this.#quorum !== undefined) throw malformed('the quorum is already set');
    if (name !== 'none') this.#checkKnownName(name);
    this.#quorum = name;
  }

  #newKey(text: string): VerifierKey {
    const key = parseVerifierKey(text);
    const publicKey = key.key.export({ format: 'der', type: 'spki' }).toString('hex');
    if (this.#keys.has(publicKey)) throw malformed(`the key of ${key.name} is listed twice`);
    this.#keys.add(publicKey);
    return key;
  }

  #checkNewName(name: string): void {
    if (name === 'none' || this.#witnesses.has(name) || this.#groups.has(name)) {
      throw malformed(`the name ${name} is already used`);
    }
  }

  #checkKnownName(name: string): void {
    if (!this.#witnesses.has(name) && !this.#groups.has(name)) {
      throw malformed(`${name} is no witness or group of a line above`);
    }
  }
}

/** A checkpoint that a trusted log signed, and enough witnesses cosigned. */
export interface TrustedCheckpoint extends Checkpoint {
  /** The log's keys that signed. */
  readonly signedBy: readonly VerifierKey[];
  /** Name in the policy, and time, of each witness that cosigned. */
  readonly cosignatures: readonly { readonly witness: string; readonly time: number }[];
}

/**
 * Reads a checkpoint and decides whether to trust it.
 *
 * @throws {VerificationError} `MALFORMED`, `PROOF`, `SIGNATURE` or `QUORUM`
 *
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs';
 * import { parsePolicy, verifyCheckpoint } from '@behalf/audit-verify';
 *
 * const policy = parsePolicy(readFileSync('log.policy', 'utf8'));
 * const { origin, size } = verifyCheckpoint(readFileSync('checkpoint', 'utf8'), policy);
 * console.log(`${origin} has ${size} records`);
 * ```
 */
export function verifyCheckpoint(text: string, policy: Policy): TrustedCheckpoint {
  const checkpoint = parseCheckpoint(text);
  if (!hasPossibleRoot(checkpoint)) {
    throw new VerificationError('PROOF', 'the checkpoint of size 0 does not have the root of the empty tree');
  }
  // The name of a log's key is its origin (tlog-policy, "Defining a log").
  const logKeys = policy.logs.map(({ key }) => key).filter(({ name }) => name === checkpoint.origin);
  const signedBy = verifySignatures(checkpoint.note, logKeys).map(({ key }) => key);
  if (signedBy.length === 0) {
    throw new VerificationError('SIGNATURE', `no trusted key signed the checkpoint of ${checkpoint.origin}`);
  }
  const found = verifySignatures(
    checkpoint.note,
    policy.witnesses.map(({ key }) => key),
  );
  const cosignatures = policy.witnesses.flatMap(({ name, key }) =>
    timesOf(found, key).map((time) => ({ witness: name, time })),
  );
  const cosigned = new Set(cosignatures.map(({ witness }) => witness));
  if (!policy.isQuorum(cosigned)) {
    const who = cosigned.size === 0 ? 'nobody' : [...cosigned].join(', ');
    throw new VerificationError(
      'QUORUM',
      `the checkpoint of size ${checkpoint.size} is cosigned by ${who}, which is not the quorum ${policy.quorum}`,
    );
  }
  return { ...checkpoint, signedBy, cosignatures };
}

function timesOf(found: readonly VerifiedSignature[], key: VerifierKey): readonly number[] {
  return found.flatMap(({ key: by, time }) => (by === key && time !== undefined ? [time] : []));
}

function malformed(message: string): VerificationError {
  return new VerificationError('MALFORMED', message);
}
