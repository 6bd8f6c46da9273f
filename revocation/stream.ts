import { hostname } from 'node:os';
import { isRecord, isStringArray } from '@behalf/directives/internal';
import type { Clock } from '@behalf/directives';
import { ACCESS_RESUMED, ACCESS_SUSPENDED, SESSION_REVOKED } from './events.js';
import { SIGNING_KEY_REVOKED, SIGNING_KEY_ROTATED } from './key-events.js';
import { RemoteKeys } from './remote-keys.js';
import type { ForeignStreamOptions, ReceiverOptions } from './stream-options.js';
import { StreamError } from './transmitter-client.js';
import type { TransmitterClient } from './transmitter-client.js';
import type { RevocationView } from './view.js';

/** RFC 8936: delivery by polling. */
const POLL_DELIVERY = 'urn:ietf:rfc:8936';
const EVENTS_REQUESTED: readonly string[] = [
  SESSION_REVOKED,
  ACCESS_SUSPENDED,
  ACCESS_RESUMED,
  SIGNING_KEY_ROTATED,
  SIGNING_KEY_REVOKED,
];
const KEYS_COOLDOWN_MS = 1_000;

/** A stream as its receiver knows it. Kept in memory only: after a restart a new one is created. */
export interface Stream {
  /** Its address for deletion; undefined if the transmitter did not name it, or another party created it. */
  readonly address: string | undefined;
  readonly endpoint: string;
  /** The stream's own secret, or the configured one if the transmitter gives none. */
  readonly secret: string;
  readonly audience: readonly string[];
  readonly keys: RemoteKeys;
  /** Applied, and to be acknowledged with the next poll. */
  unacknowledged: readonly string[];
  /** Nothing more was available at the last poll, so the next one may wait. */
  isComplete: boolean;
}

/** Creates a stream (SSF 1.0 section 8.1.1.1) that begins with everything that can have ended a living token. */
export async function createStream(
  client: TransmitterClient,
  { instance, secret }: ReceiverOptions,
  view: Pick<RevocationView, 'maxStalenessMs' | 'maxTokenLifetimeSeconds'>,
  clock: Clock,
): Promise<Stream> {
  const { document, address: namedBy } = await client.metadata();
  const jwksUri = client.addressIn(document.jwks_uri, namedBy, 'METADATA');
  const configuration = client.addressIn(document.configuration_endpoint, namedBy, 'METADATA');
  const created = await client.post(configuration, secret, {
    delivery: { method: POLL_DELIVERY },
    events_requested: EVENTS_REQUESTED,
    description: instance ?? `${hostname()}:${process.pid}`,
    // Behalf's own members: the silence after which this receiver permits nothing, and the maximum age of a token that it
    // permits.
    behalf_max_staleness_ms: view.maxStalenessMs,
    behalf_max_token_lifetime_seconds: view.maxTokenLifetimeSeconds,
  });
  const { delivery, aud: audience, stream_id: id, behalf_stream_secret: own = secret } = created;
  const endpoint = client.addressIn(
    isRecord(delivery) ? delivery.endpoint_url : undefined,
    configuration,
    'STREAM_WITHOUT_ENDPOINT',
  );
  const audiences = typeof audience === 'string' ? [audience] : audience;
  if (!isStringArray(audiences)) throw new StreamError('STREAM_WITHOUT_AUDIENCE');
  if (typeof own !== 'string' || own === '') throw new StreamError('STREAM_SECRET_UNREADABLE');
  return {
    address: typeof id === 'string' ? addressOf(configuration, id) : undefined,
    endpoint,
    secret: own,
    audience: audiences,
    keys: keysAt(jwksUri, clock),
    unacknowledged: [],
    isComplete: false,
  };
}

/** Nothing is created at the transmitter: this only finds its keys. */
export async function openForeignStream(
  client: TransmitterClient,
  { secret }: ReceiverOptions,
  { audience, deliveryEndpoint, jwksUri }: ForeignStreamOptions,
  clock: Clock,
): Promise<Stream> {
  return {
    address: undefined,
    endpoint: deliveryEndpoint,
    secret,
    audience: [audience],
    keys: keysAt(jwksUri ?? (await discoverKeys(client)), clock),
    unacknowledged: [],
    isComplete: false,
  };
}

async function discoverKeys(client: TransmitterClient): Promise<string> {
  const { document, address } = await client.metadata();
  return client.addressIn(document.jwks_uri, address, 'METADATA');
}

function keysAt(jwksUri: string, clock: Clock): RemoteKeys {
  return new RemoteKeys({ locate: async () => jwksUri, cooldownMs: KEYS_COOLDOWN_MS, clock });
}

/** SSF 1.0 section 8.1.1.5. */
function addressOf(configuration: string, streamId: string): string {
  const address = new URL(configuration);
  address.searchParams.set('stream_id', streamId);
  return address.href;
}
