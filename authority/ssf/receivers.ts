import { createHmac, randomBytes } from 'node:crypto';

import { equalSecrets } from '@behalf/http';

/** A party that may create streams. */
export interface StreamReceiver {
  /** The name that identifies its streams; `gateways` is the one of the common secret. */
  readonly name: string;
  /**
   * Bearer secret of at least 16 characters, unique to this receiver. It creates streams, and gives access to those that are not
   * a gateway's.
   */
  readonly secret: string;
  /**
   * Where events may be pushed to (RFC 8935), each exactly as the receiver will request it: https, or http on the loopback
   * interface. Without any, it can only poll.
   */
  readonly pushEndpoints?: readonly string[];
}

/** The receiver that the common secret stands for. */
export const GATEWAYS = 'gateways';

/** The secret of a new stream: shown once, stored as a digest. */
export interface StreamSecret {
  readonly secret: string;
  readonly digest: Buffer;
}

const SECRET_BYTES = 32;
/** The form of a stream secret. Anything else is not even looked up. */
const STREAM_SECRET = /^[\w-]{43}$/;

/** Finds the party that presents a secret. */
export class ReceiverRegister {
  readonly #receivers: readonly StreamReceiver[];

  constructor(streamSecret: string, receivers: readonly StreamReceiver[]) {
    this.#receivers = [{ name: GATEWAYS, secret: streamSecret }, ...receivers];
  }

  /** All endpoints that events may be pushed to. */
  get pushEndpoints(): ReadonlySet<string> {
    return new Set(this.#receivers.flatMap(({ pushEndpoints = [] }) => pushEndpoints));
  }

  /** The receiver with this configured secret. */
  find(secret: string): StreamReceiver | undefined {
    let found: StreamReceiver | undefined;
    // All are compared, so that the time does not reveal which one matched.
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
   * The possible digests of a stream with this secret: one per receiver, because each is keyed with the receiver's own secret.
   * Removing a receiver from the configuration thus ends the streams that it created.
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
