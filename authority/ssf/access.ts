import { GATEWAYS, type ReceiverRegister } from './receivers.js';
import type { Stream } from './stream.js';
import type { StreamRegister } from './streams.js';

/** The streams that a caller has full access to. */
export interface StreamAccess {
  find(id: string): Promise<Stream | undefined>;
  list(): Promise<readonly Stream[]>;
}

/**
 * The streams that a secret gives access to; undefined if there are none.
 *
 * A stream's own secret gives access to that stream. A named receiver's secret gives access to all its streams except gateways'
 * streams, because one system holds it, as SSF expects. Gateways share a secret, so that one only creates streams: no gateway can
 * read, stop or narrow another's.
 */
export async function accessBy(
  secret: string,
  receivers: ReceiverRegister,
  streams: StreamRegister,
): Promise<StreamAccess | undefined> {
  const receiver = receivers.find(secret);
  if (receiver !== undefined)
    return receiver.name === GATEWAYS ? undefined : ofReceiver(receiver.name, streams);
  const own = await streams.findByDigest(receivers.digestsOf(secret));
  if (own === undefined) return undefined;
  return {
    find: async (id) => (id === own.id ? own : undefined),
    list: async () => [own],
  };
}

function ofReceiver(name: string, streams: StreamRegister): StreamAccess {
  const isItsOwn = ({ maxStalenessMs, receiver }: Stream): boolean =>
    receiver === name && maxStalenessMs === null;
  return {
    find: async (id) => {
      const stream = await streams.get(id);
      return stream !== undefined && isItsOwn(stream) ? stream : undefined;
    },
    list: async () => (await streams.list(name)).filter(isItsOwn),
  };
}
