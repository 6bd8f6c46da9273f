import { equalSecrets } from '../http/constant-time.js';

/** Somebody who may have streams. */
export interface StreamReceiver {
  /** Its streams are found under it; `gateways` is the name of those with the common secret. */
  readonly name: string;
  /** Bearer secret; 16 characters or more, and nobody else's. */
  readonly secret: string;
  /**
   * Where events may be pushed to (RFC 8935), each exactly as the receiver will ask for it: https, or http on the loopback
   * interface. Without any, it can only poll.
   */
  readonly pushEndpoints?: readonly string[];
}

/** The receiver that the common secret stands for. */
export const GATEWAYS = 'gateways';

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

  find(secret: string): StreamReceiver | undefined {
    let found: StreamReceiver | undefined;
    // All are compared, so that the time does not tell which one it was.
    for (const receiver of this.#receivers) if (equalSecrets(secret, receiver.secret)) found = receiver;
    return found;
  }
}
