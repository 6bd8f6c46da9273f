import type { SigningKeyRing } from '../keys/ring.js';
import type { AuthorityDatabase } from '../schema.js';
import { SIGNING_KEY_REVOKED, SIGNING_KEY_ROTATED } from './log.js';
import { SignedSets } from './signed-sets.js';
import type { Stream } from './stream.js';
import type { StreamRegister } from './streams.js';
import { pendingVerification, signVerification } from './verification.js';

/** What waits for a receiver, signed. */
export interface Batch {
  /** In the order of the log; by `jti`. */
  readonly sets: ReadonlyMap<string, string>;
  readonly isLast: boolean;
}

/** @see Outbox */
export interface OutboxOptions {
  readonly db: AuthorityDatabase;
  readonly streams: StreamRegister;
  readonly keys: SigningKeyRing;
  readonly issuer: string;
  readonly audience: string;
}

/** What streams have to deliver, whichever way. Events are signed when they go, with the key of that moment. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #signed = new SignedSets();

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** @param limit 0 or more */
  async next(stream: Pick<Stream, 'id'>, limit: number): Promise<Batch> {
    const { audience, db, issuer, keys, streams } = this.#options;
    const pending = await streams.pending(stream, limit + 1);
    const events = pending.slice(0, limit);
    const verification = await pendingVerification(db, stream.id);
    // What says that a key changed is not signed with the one before, because this instance had not heard of it.
    if (events.some(({ kind }) => kind === SIGNING_KEY_ROTATED || kind === SIGNING_KEY_REVOKED)) {
      await keys.refresh();
    }
    const context = { issuer, audience, key: keys.now().signing };
    const sets = new Map<string, string>();
    const signed = await Promise.all(events.map((event) => this.#signed.sign(event, context)));
    events.forEach(({ jti }, index) => sets.set(jti, signed[index] ?? ''));
    const hasRoom = verification !== undefined && sets.size < limit;
    if (hasRoom) sets.set(verification.jti, await signVerification(verification, context));
    return { sets, isLast: pending.length <= limit && (verification === undefined || hasRoom) };
  }
}
