import type { ErrorDescription } from '@behalf/directives/internal';

/** Codes that {@link watchRevocations} throws. */
export const revocationErrors = Object.freeze({
  INVALID_WATCH_OPTIONS: {
    description: 'Revocations cannot be watched with these options; the message begins with the path of one.',
    since: '0.1.0',
  },
} satisfies Record<string, ErrorDescription>);

/**
 * Options that revocations cannot be watched with. `path` names the option, and the message begins with it. Its only code is
 * `INVALID_WATCH_OPTIONS`.
 *
 * @example
 * ```ts
 * import { watchRevocations, WatchOptionsError } from '@behalf/revocation';
 *
 * try {
 *   watchRevocations({
 *     streams: [{ issuer: 'http://login.example', secret: 'sesame' }],
 *     onRevocation: ({ kind }) => console.log(kind),
 *   });
 * } catch (error) {
 *   if (!(error instanceof WatchOptionsError)) throw error;
 *   console.error(error.message); // streams[0].issuer: must be an https: address …
 * }
 * ```
 */
export class WatchOptionsError extends Error {
  override readonly name = 'WatchOptionsError';
  readonly code = 'INVALID_WATCH_OPTIONS' satisfies keyof typeof revocationErrors;

  constructor(
    readonly path: string,
    message: string,
  ) {
    super(`${path}: ${message}`);
  }
}
