import { isRecord } from '@behalf/directives/internal';

/** The issuer is about to sign with another key: refetch its key set. */
export const SIGNING_KEY_ROTATED = 'https://schemas.behalf.dev/secevent/event-type/signing-key-rotated';
/** A key of the issuer has leaked: everything that it signed is dead; refetch its key set. */
export const SIGNING_KEY_REVOKED = 'https://schemas.behalf.dev/secevent/event-type/signing-key-revoked';

export interface KeyEvent {
  /** `kid` */
  readonly keyId: string;
  readonly isRevoked: boolean;
}

/** @returns undefined if there is none; `unreadable` if there is one that does not name exactly a key */
export function readKeyEvent(
  events: Readonly<Record<string, unknown>>,
  subjectId: unknown,
): KeyEvent | 'unreadable' | undefined {
  const isRevoked = Object.hasOwn(events, SIGNING_KEY_REVOKED);
  if (!isRevoked && !Object.hasOwn(events, SIGNING_KEY_ROTATED)) return undefined;
  if (!isRecord(subjectId) || subjectId.format !== 'complex') return 'unreadable';
  const { format: _format, key, ...others } = subjectId;
  if (Object.keys(others).length > 0 || !isRecord(key) || key.format !== 'opaque') return 'unreadable';
  return typeof key.id === 'string' && key.id !== '' ? { keyId: key.id, isRevoked } : 'unreadable';
}
