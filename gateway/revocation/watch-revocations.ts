import { requireStreamAddresses } from '../authenticate/trusted-addresses.js';
import { ConfigurationError } from '../errors.js';
import { requireAddress } from '../http/address.js';
import { silentLog, unfailingLog } from '../log.js';
import type { GatewayLog } from '../log.js';
import { HookQueue } from './hooks.js';
import type { RevocationHooks } from './hooks.js';
import { SsfReceiver } from './receiver.js';
import type { ReceiverOptions } from './stream-options.js';
import { RevocationView } from './view.js';

/** The options of {@link watchRevocations}. */
export interface WatchRevocationsOptions extends RevocationHooks {
  /** As in a gateway's `revocation.streams`; each is a separate stream of this process. */
  readonly streams: readonly ReceiverOptions[];
  /** Milliseconds after which the view counts as stale. Default 75,000. */
  readonly maxStalenessMs?: number;
  /** Default: silent. */
  readonly log?: GatewayLog;
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
 * @throws {ConfigurationError} if there is no stream, because no hook would ever be called; or if secrets must not be entrusted
 * to a stream's address
 *
 * @example
 * ```ts
 * import { watchRevocations } from '@behalf/gateway';
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
  refuseBadStreams(options.streams);
  const log = unfailingLog(options.log ?? silentLog);
  const hooks = new HookQueue(options, log);
  const view = new RevocationView({
    issuers: options.streams.map(({ issuer }) => issuer),
    maxStalenessMs: options.maxStalenessMs ?? DEFAULT_MAX_STALENESS_MS,
    maxTokenLifetimeSeconds: MAX_TOKEN_LIFETIME_SECONDS,
    whenRevoked: (what, atSeconds) => hooks.tell(what, atSeconds),
  });
  const receivers = options.streams.map((stream) => new SsfReceiver(stream, view, log));
  for (const receiver of receivers) receiver.start();
  return {
    isFresh: () => view.isFresh(),
    close: async () => {
      await Promise.all(receivers.map((receiver) => receiver.close()));
    },
  };
}

function refuseBadStreams(streams: readonly ReceiverOptions[]): void {
  if (streams.length === 0) throw new ConfigurationError('streams', 'must name at least one stream');
  streams.forEach((stream, index) => {
    const path = `streams[${index}]`;
    const rules = {
      allowInsecure: stream.allowInsecureIssuer === true,
      exemption: `${path}.allowInsecureIssuer`,
    };
    requireAddress(stream.issuer, `${path}.issuer`, rules);
    requireStreamAddresses(stream, path, rules);
  });
}
