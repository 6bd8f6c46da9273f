import { createRemoteJWKSet, errors } from 'jose';
import type { JWTVerifyGetKey } from 'jose';
import type { Clock } from '../clock.js';

/** A token that no known key verifies makes the subgraph refetch the gateway's keys, at most once in this time, whoever sends it. */
const KEYS_COOLDOWN_MS = 1_000;
/** How long a key that the gateway no longer publishes is accepted: as long as its key set may be cached. */
const KEYS_MAX_AGE_MS = 60_000;
const KEYS_TIMEOUT_MS = 3_000;

export interface GatewayKeys {
  /** The key that a token names, or that alone can have signed it. @throws {errors.JOSEError} */
  readonly find: JWTVerifyGetKey;
  /** Counts how often the keys were fetched. */
  readonly version: number;
  /**
   * Fetches the keys again, after a pause, since anybody can cause it; not at all if they are newer than a version.
   *
   * @returns whether they are newer now
   */
  refetch(known: number): Promise<boolean>;
}

/** The gateway's published keys (RFC 7517). jose fetches them, but would go by the machine's time, so it is told when. */
export function gatewayKeys(jwksUri: string, clock: Clock): GatewayKeys {
  const keys = createRemoteJWKSet(new URL(jwksUri), {
    cooldownDuration: Infinity,
    cacheMaxAge: Infinity,
    timeoutDuration: KEYS_TIMEOUT_MS,
  });
  let fetchedAt: Moment = NEVER;
  let attemptedAt: Moment = NEVER;
  let version = 0;
  const now = (): Moment => ({ wallMs: clock.now(), monotonicMs: clock.monotonic() });
  /** The one clock can be set back, and the other may stand still while the machine sleeps. */
  const sinceMs = ({ wallMs, monotonicMs }: Moment): number =>
    Math.max(clock.now() - wallMs, clock.monotonic() - monotonicMs);
  const fetchOnce = async (): Promise<void> => {
    attemptedAt = now();
    await keys.reload();
    fetchedAt = now();
    version += 1;
  };
  let underWay: Promise<void> | undefined;
  const fetchKeys = (): Promise<void> => {
    underWay ??= fetchOnce().finally(() => (underWay = undefined));
    return underWay;
  };
  /** A fetch that runs may bring the key, so it is waited for. */
  const isPausing = (): boolean => underWay === undefined && sinceMs(attemptedAt) < KEYS_COOLDOWN_MS;
  return {
    async find(header, token) {
      if (sinceMs(fetchedAt) >= KEYS_MAX_AGE_MS) await fetchKeys();
      const before = version;
      try {
        return await keys(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        // Newer ones may have come while it was looked for.
        if (version === before) {
          if (isPausing()) throw error;
          await fetchKeys();
        }
        return keys(header, token);
      }
    },
    get version() {
      return version;
    },
    async refetch(known) {
      if (version !== known) return true;
      if (isPausing()) return false;
      return fetchKeys().then(
        () => true,
        () => false,
      );
    },
  };
}

interface Moment {
  readonly wallMs: number;
  readonly monotonicMs: number;
}
const NEVER: Moment = { wallMs: -Infinity, monotonicMs: -Infinity };
