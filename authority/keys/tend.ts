import { wake } from '../changes/channels.js';
import { recordEvents } from '../audit/record-events.js';
import { appendChange, SIGNING_KEY_ROTATED } from '../changes/log.js';
import { transact } from '../transact.js';
import type { AuthorityDatabase } from '../schema.js';
import { type KeyRow, lockKeys } from './rotate.js';
import type { SealedSecrets } from './sealed.js';
import { generateSigningKey } from './signing-key.js';
import { hasCurrent, hasWaiting } from './times.js';

/** The name that a key's ciphertext is bound to. */
export function sealedName(kid: string): string {
  return `signing-key ${kid}`;
}

/**
 * Creates missing keys: one that signs, and one that is published to sign next. On the first start, and after all keys were
 * revoked, both are missing; after a rotation, the next one.
 *
 * @returns all unrevoked keys
 */
export async function tendKeys(db: AuthorityDatabase, secrets: SealedSecrets): Promise<readonly KeyRow[]> {
  return transact(db, async (trx) => {
    const { keys, now } = await lockKeys(trx);
    const alive = keys.filter(({ revoked_at: revokedAt }) => revokedAt === null);
    const add = async (signsFrom: Date | null): Promise<string> => {
      const { kid, publicJwk, privateJwk } = await generateSigningKey();
      const row = await trx
        .insertInto('authority.signing_key')
        .values({
          kid,
          public_jwk: JSON.stringify(publicJwk),
          ...secrets.seal(sealedName(kid), JSON.stringify(privateJwk)),
          published_at: now,
          signs_from: signsFrom,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      alive.push(row);
      await recordEvents(trx, [{ event: 'signing-key-published', details: { keyId: kid } }]);
      return kid;
    };
    const isFirstStart = keys.length === 0;
    const atMs = now.getTime();
    const taken = hasCurrent(alive, atMs) ? undefined : await add(now);
    if (!hasWaiting(alive, atMs)) await add(null);
    // Makes the other instances read them.
    await wake(trx, 'change');
    if (taken !== undefined && !isFirstStart) {
      await appendChange(trx, {
        kind: SIGNING_KEY_ROTATED,
        members: { keyId: taken },
        initiator: 'policy',
        reason: 'no key was left',
      });
    }
    return alive;
  });
}
