import type { ErrorDescription } from '@behalf/directives/internal';

/** Every code that the authority logs. */
export const authorityLogCodes = Object.freeze({
  AUDIT_EVENTS_LOST: {
    description:
      'So many events waited for the audit log that `count` others were not kept; the audit log gets their number.',
    since: '0.1.0',
  },
  AUDIT_EVENTS_WAIT: {
    description:
      'The audit log cannot be written, so events wait in the store; the authority tries again. At most once a minute.',
    since: '0.1.0',
  },
  AUDIT_EVENT_REFUSED: {
    description: 'The audit log cannot store an event, which counts as lost.',
    since: '0.1.0',
  },
  AUDIT_RECORDING_ENDED: {
    description:
      'No authority with the option `audit` has run on this store for ten minutes, so no more events are kept for one.',
    since: '0.1.0',
  },
  CHANGE_FEED_LOST: {
    description: 'The connection that listens for changes broke; the authority connects again.',
    since: '0.1.0',
  },
  CLIENT_NOT_SERVED: {
    description: 'A registered application cannot be served by this authority; the problem says why.',
    since: '0.1.0',
  },
  CONSENT_EXPIRY_FAILED: {
    description: 'Expired consents could not be ended yet; the authority tries again.',
    since: '0.1.0',
  },
  EVENTS_UNREADABLE: {
    description: 'A receiver reported security events that it could not read.',
    since: '0.1.0',
  },
  HOUSEKEEPING_FAILED: {
    description: 'Expired rows could not be removed; the authority tries again within a minute.',
    since: '0.1.0',
  },
  KEYS_UNREADABLE: {
    description: 'The signing keys could not be read from the store; the authority tries again.',
    since: '0.1.0',
  },
  POLICY_REFUSED: {
    description:
      'The policy file or a translation changed and cannot be used; the current policy stays, with its translations.',
    since: '0.1.0',
  },
  POLICY_RELOADED: {
    description:
      'The policy file or a translation changed and is in force; `languages` are those of the pages.',
    since: '0.1.0',
  },
  POLICY_SCHEMA_MISMATCH: {
    description: 'The policy and the schema differ in a way that does not stop the start.',
    since: '0.1.0',
  },
  PUSH_FAILED: { description: 'Events could not be pushed; the authority tries again.', since: '0.1.0' },
  PUSH_REFUSED: { description: 'A receiver did not accept a pushed event.', since: '0.1.0' },
  REQUEST_HANDLING_FAILED: { description: 'A request failed unexpectedly.', since: '0.1.0' },
  SESSIONS_ENDED: {
    description: "Database sessions of gateways' roles were ended because they kept a transaction or lock.",
    since: '0.1.0',
  },
  SIGNING_KEY_CHANGED: { description: 'Another signing key signs from now on.', since: '0.1.0' },
  STREAM_PAUSED: {
    description: 'A push stream is paused because its receiver did not accept events for too long.',
    since: '0.1.0',
  },
} satisfies Record<string, ErrorDescription>);

/** Every code that the authority writes to {@link AuthorityOptions.log}. The codes are stable. */
export type AuthorityLogCode = keyof typeof authorityLogCodes;
