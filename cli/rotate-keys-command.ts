import type { Kysely } from 'kysely';
import { listSigningKeys, revokeSigningKey, rotateSigningKeys, transact } from '@behalf/authority/internal';
import { migrateAuthority } from '@behalf/authority/consent';
import type { AuthoritySchema } from '@behalf/authority/consent';
import { printable } from '@behalf/gateway/internal';
import { withDatabase } from './database.js';

export interface RotateKeysOptions {
  readonly databaseUrl: string;
  /** Leaked keys, by `kid`: they end at once. Without any, the next key takes over in order. */
  readonly revoke: readonly string[];
  /** Goes to the change log and to every gateway. */
  readonly reason?: string | undefined;
}

/**
 * Rotates or revokes the signing keys of the authorities on a database. They need not be restarted, or told: they read it.
 * All keys named are revoked in one transaction, or none.
 *
 * @throws AuthorityError `key_missing`, `key_unknown`, `store_busy`
 */
export async function rotateKeysCommand(
  { databaseUrl, reason, revoke }: RotateKeysOptions,
  print: (line: string) => void,
): Promise<void> {
  const options = { max: 2, applicationName: 'behalf-rotate-keys' };
  await withDatabase(databaseUrl, options, async (db: Kysely<AuthoritySchema>) => {
    await migrateAuthority(db);
    const change = { initiator: 'admin', reason } as const;
    await transact(db, async (trx) => {
      // The last one first: what takes over from a leaked key must not be a leaked key.
      for (const kid of [...revoke].reverse()) {
        const { revoked } = await revokeSigningKey(trx, kid, change);
        print(printable(`${kid}: ${revoked ? 'revoked, with all that it signed' : 'was revoked before'}`));
      }
      if (revoke.length > 0) return;
      const rotation = await rotateSigningKeys(trx, change);
      if (rotation !== undefined) print(`${rotation.kid}: signs from ${rotation.at.toISOString()} on`);
    });
    for (const { kid, state, until } of await listSigningKeys(db)) {
      print(`${kid}  ${state}${until === undefined ? '' : ` until ${until.toISOString()}`}`);
    }
  });
}
