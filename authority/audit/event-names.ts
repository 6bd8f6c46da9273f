/**
 * The events of an authority, as `authorityEvents` of `@behalf/audit` describes them. They are named here as well because that
 * package is optional: our declarations must not need it.
 */
export const AUTHORITY_EVENTS = [
  'consent-requested',
  'consent-granted',
  'consent-extended',
  'consent-kept',
  'consent-refused',
  'consent-narrowed',
  'consent-expired',
  'consent-revoked',
  'consents-exported',
  'person-forgotten',
  'token-revoked',
  'tokens-of-consent-revoked',
  'session-revoked',
  'subject-sessions-revoked',
  'client-revoked',
  'access-suspended',
  'access-resumed',
  'signing-key-published',
  'signing-key-rotated',
  'signing-key-withdrawn',
  'signing-key-revoked',
  'client-registered',
  'client-changed',
  'client-secret-renewed',
  'client-retired',
  'policy-changed',
  'stream-created',
  'stream-changed',
  'stream-status-changed',
  'stream-removed',
  'signed-in',
  'sign-in-failed',
  'sign-in-failures-counted',
  'signed-out',
  'event-recording-begun',
  'event-recording-ended',
  'events-lost',
] as const;

/** The name of an event. */
export type AuthorityEventName = (typeof AUTHORITY_EVENTS)[number];
