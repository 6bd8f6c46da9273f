import { isRecord } from '@behalf/directives/internal';
import type { RevokedSubject } from './view.js';

/** The OpenID CAEP 1.0 events that end tokens, by their names in the configuration. */
export const FOREIGN_EVENTS = Object.freeze({
  /** Section 3.1. */
  'session-revoked': 'https://schemas.openid.net/secevent/caep/event-type/session-revoked',
  /** Section 3.2: claims in issued tokens are no longer true. */
  'token-claims-change': 'https://schemas.openid.net/secevent/caep/event-type/token-claims-change',
  /** Section 3.3: a password or key was changed, revoked or deleted. */
  'credential-change': 'https://schemas.openid.net/secevent/caep/event-type/credential-change',
});

/** The events of other issuers that end tokens (OpenID CAEP 1.0). See {@link ForeignStreamOptions.events}. */
export type ForeignEventName = keyof typeof FOREIGN_EVENTS;

/** How an issuer without Behalf's subjects names people. */
export interface ForeignSubjects {
  readonly issuer: string;
  /** Its tokens' `sub` is the email address, in the same spelling. */
  readonly emailIsSubject: boolean;
}

export interface ForeignRevocation {
  readonly what: RevokedSubject;
  /** Seconds since the epoch. */
  readonly atSeconds: number;
}

/** Larger values lie after the year 5000: early drafts of CAEP used milliseconds. */
const SECONDS_AT_MOST = 1e11;

/**
 * Reads which tokens another issuer's verified security event token ends. Members that cannot be matched, such as a device, are ignored: the
 * event then ends more than necessary, never less.
 *
 * @param names the events to apply; others are ignored
 * @returns `unreadable` if such an event cannot be understood, so that its subject is unknown
 */
export function readForeignEvents(
  payload: Readonly<Record<string, unknown>>,
  names: readonly ForeignEventName[],
  subjects: ForeignSubjects,
): readonly ForeignRevocation[] | 'unreadable' {
  const { events, iat, sub_id: subjectId, toe } = payload;
  if (!isRecord(events)) return 'unreadable';
  const found: ForeignRevocation[] = [];
  for (const name of names) {
    const type = FOREIGN_EVENTS[name];
    if (!Object.hasOwn(events, type)) continue;
    const event = events[type];
    if (!isRecord(event)) return 'unreadable';
    // Registering another passkey changes nobody's identity.
    if (name === 'credential-change' && event.change_type === 'create') continue;
    // RFC 9493 uses `sub_id`; SSF's first drafts had `subject` within the event.
    const what = readSubject(subjectId ?? event.subject, subjects);
    // When it happened (CAEP section 2, RFC 8417 section 2.2), or else when it was announced.
    const atSeconds = toSeconds(event.event_timestamp ?? toe ?? iat);
    if (what === undefined || atSeconds === undefined) return 'unreadable';
    found.push({ what, atSeconds });
  }
  return found;
}

function readSubject(value: unknown, subjects: ForeignSubjects): RevokedSubject | undefined {
  if (!isRecord(value)) return undefined;
  const { issuer } = subjects;
  if (value.format === 'jwt_id') {
    const tokenId = value.iss === issuer ? text(value.jti) : undefined;
    return tokenId === undefined ? undefined : { issuer, tokenId };
  }
  if (value.format !== 'complex') {
    const subject = readPerson(value, subjects);
    return subject === undefined ? undefined : { issuer, subject };
  }
  // The person is enough: the issuer may name an application differently from its tokens' `client_id`.
  if (value.user !== undefined) {
    const subject = readPerson(value.user, subjects);
    return subject === undefined ? undefined : { issuer, subject };
  }
  const sessionId = readOpaque(value.session);
  if (sessionId !== undefined) return { issuer, sessionId };
  const clientId = readOpaque(value.application);
  return clientId === undefined ? undefined : { issuer, clientId };
}

function readOpaque(value: unknown): string | undefined {
  return isRecord(value) && value.format === 'opaque' ? text(value.id) : undefined;
}

/** RFC 9493 section 3.2: the same as the tokens' `sub`. */
function readPerson(value: unknown, { emailIsSubject, issuer }: ForeignSubjects): string | undefined {
  if (!isRecord(value)) return undefined;
  // Another issuer's person cannot be matched to tokens of this one.
  if (value.format === 'iss_sub') return value.iss === issuer ? text(value.sub) : undefined;
  if (value.format === 'opaque') return text(value.id);
  if (value.format === 'email') return emailIsSubject ? text(value.email) : undefined;
  return undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function toSeconds(value: unknown): number | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  return value > SECONDS_AT_MOST ? value / 1000 : value;
}
