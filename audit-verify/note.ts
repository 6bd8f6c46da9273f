import { verify } from 'node:crypto';
import { VerificationError } from './errors.js';
import { parseBase64, parseTime } from './text.js';
import type { VerifierKey } from './vkey.js';

/** A note with more is refused. C2SP signed-note asks for at least 16. */
const MAX_SIGNATURES = 128;
/** ML-DSA-44 signatures have up to 5 kB each. */
const MAX_NOTE_LENGTH = 1024 * 1024;
const SIGNATURE_LINE = /^— ([^\s+]+) ([A-Za-z0-9+/=]+)$/u;
/** ASCII control characters other than the newline. */
const CONTROL = /[\0-\x09\x0b-\x1f]/;
const ID_BYTES = 4;
const TIMESTAMP_BYTES = 8;

/** A signature of a note. */
export interface SignatureLine {
  readonly name: string;
  readonly id: string;
  readonly bytes: Buffer;
}

/** A signed note: a text and signatures, none of them verified yet (C2SP signed-note v1.0.0). */
export interface Note {
  /** Ends with a newline. */
  readonly text: string;
  readonly signatures: readonly SignatureLine[];
}

/** A signature of a trusted key that verified. */
export interface VerifiedSignature {
  readonly key: VerifierKey;
  /** Seconds since the epoch, of a cosignature. */
  readonly time?: number;
}

/** @throws {VerificationError} `MALFORMED` */
export function parseNote(note: string): Note {
  if (note.length > MAX_NOTE_LENGTH) throw malformed('the note is too long');
  if (CONTROL.test(note)) throw malformed('the note has control characters');
  const end = note.lastIndexOf('\n\n');
  if (end === -1 || !note.endsWith('\n')) throw malformed('the note has no signatures');
  const lines = note.slice(end + 2, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) throw malformed(`the note has over ${MAX_SIGNATURES} signatures`);
  return { text: note.slice(0, end + 1), signatures: lines.map(parseSignatureLine) };
}

function parseSignatureLine(line: string): SignatureLine {
  const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? [];
  if (name === undefined || encoded === undefined) throw malformed('a signature line is malformed');
  const bytes = parseBase64(encoded, `the signature of ${name}`);
  if (bytes.length <= ID_BYTES) throw malformed(`the signature of ${name} is too short`);
  return { name, id: bytes.toString('hex', 0, ID_BYTES), bytes: bytes.subarray(ID_BYTES) };
}

/** A signature as it is written. */
export function signatureLineOf({ bytes, id, name }: SignatureLine): string {
  return `— ${name} ${Buffer.concat([Buffer.from(id, 'hex'), bytes]).toString('base64')}\n`;
}

/**
 * The signatures of the keys that are trusted. Others are ignored.
 *
 * @throws {VerificationError} `SIGNATURE` if that of a trusted key does not verify
 */
export function verifySignatures(note: Note, trusted: readonly VerifierKey[]): readonly VerifiedSignature[] {
  const found: VerifiedSignature[] = [];
  for (const line of note.signatures) {
    const key = trusted.find(({ name, id }) => name === line.name && id === line.id);
    if (key === undefined) continue;
    const verified = verifyLine(note.text, line, key);
    if (verified === undefined) {
      throw new VerificationError('SIGNATURE', `the signature of ${line.name} (${line.id}) does not verify`);
    }
    found.push(verified);
  }
  return found;
}

function verifyLine(text: string, { bytes }: SignatureLine, key: VerifierKey): VerifiedSignature | undefined {
  if (key.type === 'ed25519') {
    return verify(null, Buffer.from(text), key.key, bytes) ? { key } : undefined;
  }
  if (bytes.length <= TIMESTAMP_BYTES) return undefined;
  const seconds = bytes.readBigUInt64BE(0).toString();
  // C2SP tlog-cosignature, "Ed25519 signed message".
  const message = Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`);
  if (!verify(null, message, key.key, bytes.subarray(TIMESTAMP_BYTES))) return undefined;
  return { key, time: parseTime(seconds, 1_000, `the time of ${key.name}`) };
}

function malformed(message: string): VerificationError {
  return new VerificationError('MALFORMED', message);
}
