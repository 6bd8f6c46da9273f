import { steadyTime, systemClock } from '@behalf/directives/internal';
import type { Clock } from '@behalf/directives';
import { HookQueue } from './hooks.js';
import type { RevocationHooks } from './hooks.js';
import { unfailingLog } from './log.js';
import type { RevocationLog } from './log.js';
import { SsfReceiver } from './receiver.js';
import type { ReceiverOptions } from './stream-options.js';
import { RevocationView } from './view.js';
import { checkWatchOptions } from './watch-options.js';

/** The options of {@link watchRevocations}: at least one of the two hooks is needed. */
export interface WatchRevocationsOptions extends RevocationHooks {
  /** At least one. As in a gateway's `revocation.streams`; each is a separate stream of this process. */
  readonly streams: readonly ReceiverOptions[];
  /** Milliseconds after which the view counts as stale: at most a day. Default 75,000. */
  readonly maxStalenessMs?: number;
  /** Default: silent. */
  readonly log?: RevocationLog;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/** A receiver of revocations, made by {@link watchRevocations}. */
export interface RevocationWatch {
  /** Whether all announcements are known; otherwise, do not trust a cache. */
  isFresh(): boolean;
  /** Deletes the streams. */
  close(): Promise<void>;
}

const DEFAULT_MAX_STALENESS_MS = 75_000;
/** How far back a stream begins; longer than most tokens live. */
const MAX_TOKEN_LIFETIME_SECONDS = 3_600;

/**
 * Calls hooks for revocations that issuers announce (OpenID SSF 1.0, RFC 8936), in a process that is not a gateway, such as a
 * subgraph with its own cache. Like every receiver it needs a stream, and not a gateway.
 *
 * A stream that fails is logged and tried again; {@link RevocationWatch.isFresh} is false meanwhile.
 *
 * @throws {WatchOptionsError} for an unknown key, a value of the wrong kind, or a stream that cannot or must not be followed
 *
 * @example
 * ```ts
 * import { watchRevocations } from '@behalf/revocation';
 *
 * const cache = new Map<string, unknown>();
 * const watch = watchRevocations({
 *   streams: [{ issuer: 'https://login.example', secret: process.env.STREAM_SECRET ?? '' }],
 *   onConsentChange: ({ consentId }) => cache.delete(consentId),
 *   onRevocation: ({ kind }) => {
 *     if (kind === 'issuer' || kind === 'unknown') cache.clear();
 *   },
 * });
 * process.once('SIGTERM', () => void watch.close());
 * ```
 */
export function watchRevocations(options: WatchRevocationsOptions): RevocationWatch {
  checkWatchOptions(options);
  const { streams, maxStalenessMs = DEFAULT_MAX_STALENESS_MS, clock = systemClock } = options;
  const log = unfailingLog(options.log);
  const hooks = new HookQueue(options, log, { clock });
  const view = new RevocationView({
    issuers: streams.map(({ issuer }) => issuer),
    maxStalenessMs,
    maxTokenLifetimeSeconds: MAX_TOKEN_LIFETIME_SECONDS,
    now: steadyTime(clock),
    whenRevoked: (what, atSeconds) => hooks.tell(what, atSeconds),
  });
  const receivers = streams.map((stream) => new SsfReceiver(stream, view, log, undefined, clock));
  for (const receiver of receivers) receiver.start();
  return {
    isFresh: () => view.isFresh(),
    close: async () => {
      await Promise.all(receivers.map((receiver) => receiver.close()));
    },
  };
}
