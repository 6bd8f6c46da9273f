import type { ErrorDescription } from '@behalf/directives/internal';

/** Codes of the authority's own addresses. Errors of the OAuth specifications keep those specifications' codes. */
export const authorityRequestErrors = Object.freeze({
  METHOD_NOT_ALLOWED: {
    description: 'The address does not support the method; the header Allow lists those that it does.',
    since: '0.1.0',
    status: 405,
  },
  NOT_FOUND: { description: 'There is nothing at this address.', since: '0.1.0', status: 404 },
  STREAM_HAS_GAP: {
    description:
      'The stream of a gateway has lost events, for example because it was stopped for a while. Create another one.',
    since: '0.1.0',
    status: 409,
  },
  STREAM_IS_PUSHED: {
    description: 'The events of this stream are pushed, so they cannot be polled.',
    since: '0.1.0',
    status: 409,
  },
  STREAM_NOT_ENABLED: {
    description: 'The stream is paused or disabled; an empty answer would mean that nothing was revoked.',
    since: '0.1.0',
    status: 409,
  },
  TOO_MANY_POLLS: { description: 'Too many receivers wait for events.', since: '0.1.0', status: 503 },
  TOO_MANY_REQUESTS: {
    description: 'A verification was requested too soon after the one before; see `Retry-After`.',
    since: '0.1.0',
    status: 429,
  },
  TOO_MANY_STREAMS: {
    description: 'The receiver, or the authority, has as many streams as it may have.',
    since: '0.1.0',
    status: 409,
  },
  UNKNOWN_STREAM: {
    description: "There is no such stream, or it is another receiver's.",
    since: '0.1.0',
    status: 404,
  },
} satisfies Record<string, ErrorDescription>);

/** Every code of {@link authorityRequestErrors}. The codes are stable. */
export type AuthorityRequestErrorCode = keyof typeof authorityRequestErrors;
