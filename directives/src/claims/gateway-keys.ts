import { createRemoteJWKSet, errors } from 'jose';
import type { JWTVerifyGetKey } from 'jose';
import type { Clock } from '../clock.js';

/** An unknown `kid` makes the subgraph refetch the gateway's keys, at most once in this time, whoever sends it. */
const KEYS_COOLDOWN_MS = 1_000;
/** How long a key that the gateway no longer publishes is accepted: as long as its key set may be cached. */
const KEYS_MAX_AGE_MS = 60_000;
const KEYS_TIMEOUT_MS = 3_000;

/** The gateway's published keys (RFC 7517). jose fetches them, but would go by the machine's time, so it is told when. */
export function gatewayKeys(jwksUri: string, clock: Clock): JWTVerifyGetKey {
  const keys = createRemoteJWKSet(new URL(jwksUri), {
    cooldownDuration: Infinity,
    cacheMaxAge: Infinity,
    timeoutDuration: KEYS_TIMEOUT_MS,
  });
  let fetchedAt = { wallMs: -Infinity, monotonicMs: -Infinity };
  /** The one clock can be set back, and the other may stand still while the machine sleeps. */
  const ageMs = (): number =>
    Math.max(clock.now() - fetchedAt.wallMs, clock.monotonic() - fetchedAt.monotonicMs);
  const fetchKeys = async (): Promise<void> => {
    await keys.reload();
    fetchedAt = { wallMs: clock.now(), monotonicMs: clock.monotonic() };
  };
  return async (header, token) => {
    if (ageMs() >= KEYS_MAX_AGE_MS) await fetchKeys();
    try {
      return await keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || ageMs() < KEYS_COOLDOWN_MS) throw error;
      await fetchKeys();
      return keys(header, token);
    }
  };
}
