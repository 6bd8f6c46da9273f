import type { ErrorDescription } from '@behalf/directives/internal';

/** Every code of a line about revocations, in the log of a gateway as well. */
export const revocationLogCodes = Object.freeze({
  REVOKED: { description: 'A revocation arrived.', since: '0.1.0' },
  ACCESS_SUSPENDED: {
    description: 'A client, a scope or everything of an issuer is suspended until it is resumed.',
    since: '0.1.0',
  },
  ACCESS_RESUMED: { description: 'A suspension was lifted.', since: '0.1.0' },
  REVOCATION_HOOK_FAILED: {
    description:
      'A hook of the program threw, took too long, or missed announcements because it was too slow (DROPPED); the number of failures so far. At most one line in ten seconds.',
    since: '0.1.0',
  },
  REVOCATION_STREAM_BROKEN: { description: 'A revocation stream cannot be read.', since: '0.1.0' },
  REVOCATIONS_LOST: {
    description:
      "An issuer's stream was interrupted and may have lost events: everything issued up to now is refused.",
    since: '0.1.0',
  },
  SIGNING_KEY_ROTATED: { description: 'An issuer announced the key that signs next.', since: '0.1.0' },
  SIGNING_KEY_REVOKED: {
    description: 'An issuer announced that a key has leaked: everything that it signed is refused.',
    since: '0.1.0',
  },
  ISSUER_KEYS_NOT_REFRESHED: {
    description:
      "An issuer's keys could not be refetched after its announcement; an unknown key will trigger it.",
    since: '0.1.0',
  },
} satisfies Record<string, ErrorDescription>);

/** Every code that a {@link RevocationLog} hears. The codes are stable. */
export type RevocationLogCode = keyof typeof revocationLogCodes;

/** Receives a stable code for each event, and facts: never a token or a secret. A gateway's log is one, too. */
export interface RevocationLog {
  log(
    level: 'info' | 'warn' | 'error',
    code: RevocationLogCode,
    facts?: Readonly<Record<string, string | number | boolean>>,
  ): void;
}

/** Wraps a log so that its failures cannot end a stream. Without one, nothing is logged. */
export function unfailingLog(log: RevocationLog | undefined): RevocationLog {
  return {
    log(level, code, facts) {
      try {
        log?.log(level, code, facts);
      } catch {
        process.emitWarning('the log of watchRevocations failed', { code: 'BEHALF_LOG' });
      }
    },
  };
}
