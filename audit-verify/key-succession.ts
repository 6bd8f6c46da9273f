import { parseNote, verifySignatures } from './note.js';
import type { Policy } from './policy.js';
import { parseRecord } from './proof.js';
import { VerificationError } from './errors.js';
import { parseVerifierKey } from './vkey.js';
import type { VerifierKey } from './vkey.js';

const FORMAT = 'behalf-log-key/v1';

/**
 * The key that a record introduces. Such a record has `event: 'log-key-added'` and, as `statement`, a note with three lines: the
 * format, the log's origin and the new key. A key of the log that is trusted already has signed it.
 *
 * @returns undefined for any other record, and for a key that is trusted already
 * @throws {VerificationError} for a statement that no trusted key signed
 */
export function followKeys(content: string, policy: Policy): VerifierKey | undefined {
  // Nearly no record is one of these, and parsing each would take half of the time.
  if (!content.includes('"log-key-added"')) return undefined;
  const { event, statement } = parseRecord(content);
  if (event !== 'log-key-added' || typeof statement !== 'string') return undefined;
  const note = parseNote(statement);
  const [format, origin = '', text = '', end, ...more] = note.text.split('\n');
  if (format !== FORMAT || end !== '' || more.length > 0) {
    throw new VerificationError('MALFORMED', `the statement of a new key does not have the format ${FORMAT}`);
  }
  const trusted = policy.logs.map(({ key }) => key).filter(({ name }) => name === origin);
  const signatures = verifySignatures(note, trusted);
  if (signatures.length === 0) {
    throw new VerificationError('SIGNATURE', 'a new key of the log is not signed by one before it');
  }
  const key = parseVerifierKey(text);
  if (key.type !== 'ed25519' || key.name !== origin) {
    throw new VerificationError('MALFORMED', 'a new key of the log is not an Ed25519 key of its origin');
  }
  return trusted.some((known) => known.text === text) ? undefined : key;
}
