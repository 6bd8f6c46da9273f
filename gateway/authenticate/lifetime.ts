import type { Clock } from '@behalf/directives';
import { ConfigurationError } from '../errors.js';
import { invalidToken } from './bearer.js';

/** For an issuer that announces revocations. They are kept, and a new stream begins, for as long. */
const DEFAULT_LIFETIME_WITH_STREAM_SECONDS = 60 * 60;
/** For an issuer that announces nothing: a token that should have ended stays valid for at most this long. */
const DEFAULT_LIFETIME_SECONDS = 24 * 60 * 60;
/** The issuer's change log goes back further than this, so a stream can begin this far back. */
const LONGEST_LIFETIME_WITH_STREAM_SECONDS = 24 * 60 * 60;
/** Tolerance between the clocks of issuer and gateway. */
export const CLOCK_TOLERANCE_SECONDS = 5;

/**
 * Refuses a token with a longer lifetime than its issuer allows. This bounds how long an unannounced mistake lasts, and how
 * long revocations must be remembered. A token from the future could otherwise pass for a short one.
 *
 * @throws {RefusedError} 401 `INVALID_TOKEN`
 */
export function refuseLongLived(
  { iat, exp }: { readonly iat: number; readonly exp: number },
  maxTokenLifetimeSeconds: number,
  clock: Pick<Clock, 'now'>,
): void {
  // JSON has numbers that parse as Infinity.
  if (!Number.isFinite(iat) || !Number.isFinite(exp)) throw invalidToken('TIME_MALFORMED');
  if (iat > clock.now() / 1000 + CLOCK_TOLERANCE_SECONDS) throw invalidToken('ISSUED_IN_FUTURE');
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
 * Each issuer's maximum token lifetime, in seconds.
 *
 * @throws {ConfigurationError} for an invalid lifetime, or one that exceeds the memory of revocations
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
      `must be at most ${LONGEST_LIFETIME_WITH_STREAM_SECONDS} with a stream: older revocations are not announced`,
    );
}
