import type { AuditSink, SubjectPseudonyms } from '@behalf/audit';
import { hmac } from './recorded-text.js';

/** The pseudonyms of subjects: the sink's, or derived from the gateway's key if the sink has none. @throws as the sink does */
export async function pseudonymsOf(
  subjects: readonly string[],
  { sink, pseudonymKey }: { readonly sink: AuditSink; readonly pseudonymKey: Uint8Array },
): Promise<SubjectPseudonyms> {
  if (subjects.length === 0) return new Map();
  if (sink.pseudonymsOf !== undefined) return sink.pseudonymsOf(subjects);
  return new Map(subjects.map((subject) => [subject, hmac(subject, pseudonymKey).toString('base64url')]));
}
