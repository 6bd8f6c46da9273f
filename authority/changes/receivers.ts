import { createHmac, randomBytes } from 'node:crypto';

import { equalSecrets } from '@behalf/http';

/** Somebody who may make streams. */
export interface StreamReceiver {
  /** Its streams are found under it; `gateways` is the name of those with the common secret. */
  readonly name: string;
  /**
   * Bearer secret; 16 characters or more, and nobody else's. It makes streams, and is good for those that are no gateway's.
   */
  readonly secret: string;
  /**
   * Where events may be pushed to (RFC 8935), each exactly as the receiver will ask for it: https, or http on the loopback
   * interface. Without any, it can only poll.
   */
  readonly pushEndpoints?: readonly string[];
}

/** The receiver that the common secret stands for. */
export const GATEWAYS = 'gateways';

/** A new stream's secret: shown once, and kept as a digest. */
export interface StreamSecret {
  readonly secret: string;
  readonly digest: Buffer;
}

const SECRET_BYTES = 32;
/** As it is written here. Whatever else is presented is looked up nowhere. */
const STREAM_SECRET = /^[\w-]{43}$/;

/** Who presents which secret. */
export class ReceiverRegister {
  readonly #receivers: readonly StreamReceiver[];

  constructor(streamSecret: string, receivers: readonly StreamReceiver[]) {
    this.#receivers = [{ name: GATEWAYS, secret: streamSecret }, ...receivers];
  }

  /** Where events may be pushed to, all in all. */
  get pushEndpoints(): ReadonlySet<string> {
    return new Set(this.#receivers.flatMap(({ pushEndpoints = [] }) => pushEndpoints));
  }

  /** The receiver whose configured secret it is. */
  find(secret: string): StreamReceiver | undefined {
    let found: StreamReceiver | undefined;
    // All are compared, so that the time does not tell which one it was.
    for (const receiver of this.#receivers) if (equalSecrets(secret, receiver.secret)) found = receiver;
    return found;
  }

  named(name: string): StreamReceiver | undefined {
    return this.#receivers.find((receiver) => receiver.name === name);
  }

  makeStreamSecret(receiver: StreamReceiver): StreamSecret {
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    return { secret, digest: digestOf(receiver, secret) };
  }

  /**
   * What the digest of a stream with this secret can be: one for each receiver, since it is keyed with the receiver's own
   * secret. Who takes that out of the configuration ends the streams that were made with it.
   */
  digestsOf(streamSecret: string): readonly Buffer[] {
    if (!STREAM_SECRET.test(streamSecret)) return [];
    return this.#receivers.map((receiver) => digestOf(receiver, streamSecret));
  }
}

function digestOf({ name, secret: key }: StreamReceiver, secret: string): Buffer {
  return createHmac('sha256', key)
    .update(JSON.stringify([name, secret]))
    .digest();
}
