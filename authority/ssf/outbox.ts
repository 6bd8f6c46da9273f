import type { SigningKeyRing } from '../keys/ring.js';
import type { AuthorityDatabase } from '../schema.js';
import { SIGNING_KEY_REVOKED, SIGNING_KEY_ROTATED } from '../changes/log.js';
import { SignedSets } from './signed-sets.js';
import type { Stream } from './stream.js';
import type { StreamRegister } from './streams.js';
import { pendingVerification, signVerification } from './verification.js';

/** Signed events that wait for a receiver. */
export interface Batch {
  /** Keyed by `jti`, in the order of the log. */
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

/** The events that streams have to deliver, by polling or pushing. Events are signed on delivery, with the key then in force. */
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
    // An event about a key change must not be signed with the previous key because this instance has not heard of the change.
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
