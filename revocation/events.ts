import { isRecord } from '@behalf/directives/internal';
import type { Suspended } from './suspensions.js';
import type { RevokedSubject } from './view.js';

/** CAEP 1.0 section 3.1. */
export const SESSION_REVOKED = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked';
/** Behalf's own: in force until it is resumed. */
export const ACCESS_SUSPENDED = 'https://schemas.behalf.dev/secevent/event-type/access-suspended';
export const ACCESS_RESUMED = 'https://schemas.behalf.dev/secevent/event-type/access-resumed';

/** SSF 1.0 section 3.3: a complex subject, of which every member must match. An unknown member matches nothing. */
export function readSubject(issuer: string, subjectId: unknown): RevokedSubject | undefined {
  if (!isRecord(subjectId) || subjectId.format !== 'complex') return undefined;
  const { format: _format, user, application, consent, session, token, ...others } = subjectId;
  if (Object.keys(others).length > 0) return undefined;
  const read = {
    subject: readIdentifier(user, 'iss_sub', 'sub'),
    clientId: readIdentifier(application, 'opaque', 'id'),
    consentId: readIdentifier(consent, 'opaque', 'id'),
    sessionId: readIdentifier(session, 'opaque', 'id'),
    tokenId: readIdentifier(token, 'jwt_id', 'jti'),
  };
  const members: Record<string, string> = {};
  for (const [name, identifier] of Object.entries(read)) {
    if (identifier === 'unreadable') return undefined;
    if (identifier !== undefined) members[name] = identifier.id;
  }
  return Object.keys(members).length === 0 ? undefined : { issuer, ...members };
}

/** Exactly one: a client (`application`), a scope, or the whole issuer (`tenant`). */
export function readSuspended(issuer: string, subjectId: unknown): Suspended | undefined {
  if (!isRecord(subjectId) || subjectId.format !== 'complex') return undefined;
  const { format: _format, ...members } = subjectId;
  const [[name, member] = [], ...others] = Object.entries(members);
  if (others.length > 0) return undefined;
  const identifier = readIdentifier(member, 'opaque', 'id');
  if (identifier === undefined || identifier === 'unreadable') return undefined;
  if (name === 'application') return { kind: 'client', clientId: identifier.id };
  if (name === 'scope') return { kind: 'scope', scope: identifier.id };
  return name === 'tenant' && identifier.id === issuer ? { kind: 'everything' } : undefined;
}

function readIdentifier(
  value: unknown,
  format: string,
  member: string,
): { readonly id: string } | 'unreadable' | undefined {
  if (value === undefined) return undefined;
  if (!isRecord(value) || value.format !== format) return 'unreadable';
  const id = value[member];
  return typeof id === 'string' && id !== '' ? { id } : 'unreadable';
}
