import type { AuditEventDescription } from './record-class.js';

/** Of a consent, as it is after the event or, if that ends it, was before. */
const CONSENT = [
  'consentId',
  'version',
  'clientId',
  'scopes',
  'purposes',
  'detail',
  'levels',
  'until',
  'policyVersion',
] as const;

/** The events of an authority: consents, revocations, keys, clients, policies, streams and sign-ins. */
export const authorityEvents = {
  'consent-requested': {
    class: 'consent',
    description: 'An application asked for a consent, and the person saw what for.',
    details: CONSENT,
  },
  'consent-granted': {
    class: 'consent',
    description: 'A person agreed. With `replaces`, what they agreed to is less than before.',
    details: [...CONSENT, 'replaces'],
  },
  'consent-extended': {
    class: 'consent',
    description: 'A person agreed to more, or for longer. The consent keeps its identifier.',
    details: CONSENT,
  },
  'consent-kept': {
    class: 'consent',
    description: 'A person was asked again, and left their consent as it was.',
    details: ['clientId', 'scopes', 'consentId'],
  },
  'consent-refused': {
    class: 'consent',
    description: 'A person was asked, and refused.',
    details: ['clientId', 'scopes', 'consentId'],
  },
  'consent-narrowed': {
    class: 'consent',
    description: 'A consent ended because a narrower one replaces it. What was issued under it has ended.',
    details: CONSENT,
  },
  'consent-expired': { class: 'consent', description: 'A consent ended by its time.', details: CONSENT },
  'consent-revoked': {
    class: 'consent',
    description: 'A consent was ended early, with everything that was issued under it.',
    details: CONSENT,
  },
  'consents-exported': {
    class: 'consent',
    description: 'An administrator exported a person’s consents.',
    details: ['records'],
  },
  'person-forgotten': {
    class: 'consent',
    description:
      'A person’s account was removed, and their name was replaced wherever the authority had it. It does not say whose.',
    details: ['consents'],
  },
  'token-revoked': {
    class: 'security',
    description: 'An access token was ended, with everything that was exchanged from it.',
    details: ['tokenId', 'clientId'],
  },
  'tokens-of-consent-revoked': {
    class: 'security',
    description: 'All tokens issued under a consent were ended. The consent stays in force.',
    details: ['consentId', 'clientId'],
  },
  'session-revoked': {
    class: 'security',
    description: 'A sign-in was ended by somebody else than the person, with its codes and tokens.',
    details: ['sessionId', 'sessions', 'tokens'],
  },
  'subject-sessions-revoked': {
    class: 'security',
    description: 'All sign-ins of a person were ended, with every token issued for them.',
    details: ['sessions', 'tokens'],
  },
  'client-revoked': {
    class: 'security',
    description: 'All consents for an application were ended, with every token issued to it.',
    details: ['clientId', 'consents'],
  },
  'access-suspended': {
    class: 'security',
    description:
      'A client, a scope for everybody, or all access (`everything`, an emergency stop) is suspended.',
    details: ['kind', 'clientId', 'scope'],
  },
  'access-resumed': {
    class: 'security',
    description: 'A suspension was lifted.',
    details: ['kind', 'clientId', 'scope'],
  },
  'signing-key-published': {
    class: 'security',
    description: 'The authority made a signing key, and publishes it.',
    details: ['keyId'],
  },
  'signing-key-rotated': {
    class: 'security',
    description: 'Another published key signs from the named time on.',
    details: ['keyId', 'from', 'replaces'],
  },
  'signing-key-withdrawn': {
    class: 'security',
    description: 'A key that signed before is no longer published.',
    details: ['keyId'],
  },
  'signing-key-revoked': {
    class: 'security',
    description: 'A leaked key was revoked, with everything that it signed.',
    details: ['keyId'],
  },
  'client-registered': {
    class: 'security',
    description: 'An application was registered.',
    details: ['clientId'],
  },
  'client-changed': {
    class: 'security',
    description: 'The registration of an application was replaced.',
    details: ['clientId', 'changed'],
  },
  'client-secret-renewed': {
    class: 'security',
    description: 'An application got a new secret. The old one no longer works.',
    details: ['clientId'],
  },
  'client-retired': {
    class: 'security',
    description: 'An application was ended for good.',
    details: ['clientId'],
  },
  'policy-changed': {
    class: 'security',
    description: 'The authority runs another policy than before.',
    details: ['version', 'replaces'],
  },
  'stream-created': {
    class: 'security',
    description: 'A receiver, such as a gateway, made a stream of revocations.',
    details: ['streamId', 'receiver', 'delivery'],
  },
  'stream-changed': {
    class: 'security',
    description: 'A stream delivers other events, or to another address.',
    details: ['streamId', 'receiver', 'delivery'],
  },
  'stream-status-changed': {
    class: 'security',
    description: 'A stream was paused, disabled or enabled.',
    details: ['streamId', 'receiver', 'status'],
  },
  'stream-removed': {
    class: 'security',
    description: 'A stream was removed by its receiver, or because nobody read it for too long.',
    details: ['streamId', 'receiver'],
  },
  'signed-in': {
    class: 'security',
    description: 'A person signed in at the authority with their password.',
    details: ['source'],
  },
  'sign-in-failed': {
    class: 'security',
    description: 'Somebody did not sign in. `subjects` has the person if the account exists.',
    details: ['cause', 'source'],
  },
  'sign-in-failures-counted': {
    class: 'security',
    description: 'Further failed sign-ins at one authority, which are not recorded one by one.',
    details: ['failed', 'throttled', 'since'],
  },
  'signed-out': {
    class: 'security',
    description: 'A person ended their sign-in in one browser.',
    details: ['sessionId', 'sessions', 'tokens'],
  },
  'event-recording-begun': {
    class: 'log',
    description: 'An authority records its events here from now on.',
    details: [],
  },
  'event-recording-ended': {
    class: 'log',
    description:
      'No authority that records events here has run for a while: none are recorded until one begins again.',
    details: [],
  },
  'events-lost': {
    class: 'log',
    description: 'So many events waited for the log that others were not kept.',
    details: ['count'],
  },
} as const satisfies Record<string, AuditEventDescription>;
