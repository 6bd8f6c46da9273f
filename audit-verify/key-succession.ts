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
 * A statement that no trusted key signed introduces nothing, and is no fault of the log: the verifier may trust only a later key, and
 * whoever may append records could otherwise spoil every verification with one.
 *
 * @returns undefined for any other record, and for a key that is trusted already
 */
export function followKeys(content: string, policy: Policy): VerifierKey | undefined {
  // Nearly no record is one of these, and parsing each would take half of the time.
  if (!content.includes('"log-key-added"')) return undefined;
  const { event, statement } = parseRecord(content);
  if (event !== 'log-key-added' || typeof statement !== 'string') return undefined;
  try {
    return introducedKey(statement, policy);
  } catch (error) {
    if (error instanceof VerificationError) return undefined;
    throw error;
  }
}

function introducedKey(statement: string, policy: Policy): VerifierKey | undefined {
  const note = parseNote(statement);
  const [format, origin = '', text = '', end, ...more] = note.text.split('\n');
  if (format !== FORMAT || end !== '' || more.length > 0) return undefined;
  const trusted = policy.logs.map(({ key }) => key).filter(({ name }) => name === origin);
  if (verifySignatures(note, trusted).length === 0) return undefined;
  const key = parseVerifierKey(text);
  if (key.type !== 'ed25519' || key.name !== origin) return undefined;
  return trusted.some((known) => known.text === text) ? undefined : key;
}
