import { ConfigurationError } from '../errors.js';
import { invalidToken } from './bearer.js';

/** Of an issuer that announces what it revokes. Its revocations are kept, and a new stream begins, for as long. */
const DEFAULT_LIFETIME_WITH_STREAM_SECONDS = 60 * 60;
/** Of an issuer that announces nothing: a token that should have ended is good for so long at the most. */
const DEFAULT_LIFETIME_SECONDS = 24 * 60 * 60;
/** The issuer's log of changes goes back further than this, and a stream can begin so far back. */
const LONGEST_LIFETIME_WITH_STREAM_SECONDS = 24 * 60 * 60;
/** Clocks of issuer and gateway may differ by so much. */
export const CLOCK_TOLERANCE_SECONDS = 5;

/**
 * Refuses a token that was made to live longer than its issuer's may. It bounds for how long a mistake lasts that nobody
 * announces, and for how long revocations have to be remembered. A token from the future would pass for a short one.
 *
 * @throws {RefusedError} 401 `INVALID_TOKEN`.
 */
export function refuseLongLived(
  { iat, exp }: { readonly iat: number; readonly exp: number },
  maxTokenLifetimeSeconds: number,
): void {
  // JSON has numbers that are read as Infinity.
  if (!Number.isFinite(iat) || !Number.isFinite(exp)) throw invalidToken('TIME_MALFORMED');
  if (iat > Date.now() / 1000 + CLOCK_TOLERANCE_SECONDS) throw invalidToken('ISSUED_IN_FUTURE');
  if (exp - iat > maxTokenLifetimeSeconds) throw invalidToken('LIFETIME');
}

interface LifetimeOptions {
  readonly issuers: readonly {
    readonly issuer: string;
    readonly maxTokenLifetimeSeconds?: number | undefined;
  }[];
  readonly revocation?:
    | {
        readonly streams: readonly { readonly issuer: string }[];
        readonly maxTokenLifetimeSeconds?: number | undefined;
      }
    | undefined;
}

/**
 * How long each issuer's tokens may live, in seconds.
 *
 * @throws {ConfigurationError} for a lifetime that is none, or longer than revocations can be known for
 */
export function tokenLifetimes({ issuers, revocation }: LifetimeOptions): ReadonlyMap<string, number> {
  const withStream = new Set(revocation?.streams.map(({ issuer }) => issuer));
  const common = revocation?.maxTokenLifetimeSeconds ?? DEFAULT_LIFETIME_WITH_STREAM_SECONDS;
  requireLifetime(common, 'revocation.maxTokenLifetimeSeconds', true);
  return new Map(
    issuers.map(({ issuer, maxTokenLifetimeSeconds: own }, index) => {
      const hasStream = withStream.has(issuer);
      if (own !== undefined) requireLifetime(own, `issuers[${index}].maxTokenLifetimeSeconds`, hasStream);
      return [issuer, own ?? (hasStream ? common : DEFAULT_LIFETIME_SECONDS)];
    }),
  );
}

function requireLifetime(seconds: number, path: string, hasStream: boolean): void {
  if (!Number.isSafeInteger(seconds) || seconds < 1)
    throw new ConfigurationError(path, 'must be a whole number of seconds');
  if (hasStream && seconds > LONGEST_LIFETIME_WITH_STREAM_SECONDS)
    throw new ConfigurationError(
      path,
      `must be at most ${LONGEST_LIFETIME_WITH_STREAM_SECONDS} with a stream: older revocations are not told`,
    );
}
