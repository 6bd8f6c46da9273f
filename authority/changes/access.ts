import { GATEWAYS, type ReceiverRegister } from './receivers.js';
import type { Stream } from './stream.js';
import type { StreamRegister } from './streams.js';

/** The streams that somebody may do everything with. */
export interface StreamAccess {
  find(id: string): Promise<Stream | undefined>;
  list(): Promise<readonly Stream[]>;
}

/**
 * Which streams a secret is good for; undefined when it is good for none.
 *
 * A stream's own secret is good for that stream. A named receiver's is good for its streams that are no gateway's: one
 * system has it, as SSF expects. Several gateways share theirs, so that it only makes streams: none of them can take, stop or
 * narrow what another is told.
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
