import type { ErrorDescription } from '../errors.js';

/** Why a transaction token was refused: for the logs of the subgraph and of the gateway that sent it. */
export const txnTokenRefusals = Object.freeze({
  TXN_TOKEN_MISSING: {
    description:
      'The request has none. If the gateway has sent one, something between them removes or empties the header.',
    since: '0.1.0',
  },
  TXN_TOKEN_REPEATED: { description: 'The request has several.', since: '0.1.0' },
  TXN_TOKEN_TOO_LARGE: { description: 'It is longer than a transaction token can be.', since: '0.1.0' },
  TXN_TOKEN_EXPIRED: { description: 'It has expired.', since: '0.1.0' },
  TXN_TOKEN_ISSUER: { description: 'It is of another issuer than `gateway.issuer`.', since: '0.1.0' },
  TXN_TOKEN_AUDIENCE: { description: 'It was made for another subgraph than `name`.', since: '0.1.0' },
  TXN_TOKEN_CLAIM: { description: 'Another claim is missing or malformed.', since: '0.1.0' },
  TXN_TOKEN_SIGNATURE: {
    description: "None of the gateway's keys has signed it, as far as this subgraph knows them.",
    since: '0.1.0',
  },
  TXN_TOKEN_UNBOUND: {
    description: 'It is not bound to a request, and this subgraph accepts only tokens that are.',
    since: '0.1.0',
  },
  TXN_TOKEN_BODY: {
    description: 'It is bound to another request, or the subgraph was not given the body.',
    since: '0.1.0',
  },
  TXN_TOKEN_REPLAYED: { description: 'It is bound to a request, and was used before.', since: '0.1.0' },
  TXN_TOKEN_REPLAY_UNKNOWN: {
    description:
      'It is bound to a request, and it is unknown whether it was used: the memory is full or unreachable.',
    since: '0.1.0',
  },
  TXN_TOKEN_KEYS_UNAVAILABLE: {
    description:
      "There is no answer at `gateway.jwksUri`, or it is not a key set, so the gateway's keys are unavailable.",
    since: '0.1.0',
  },
  TXN_TOKEN_INVALID: { description: 'Its algorithm or form is invalid.', since: '0.1.0' },
} satisfies Record<string, ErrorDescription>);

/**
 * Why a transaction token was not accepted: for the log of the subgraph ({@link ProtectionOptions.onRefusedToken}), and for that
 * of the gateway, which gets it under `extensions.behalf` of the response and removes it there. The codes are stable.
 */
export type TxnTokenRefusal = keyof typeof txnTokenRefusals;
