import type { Kysely } from 'kysely';
import { listSigningKeys, revokeSigningKey, rotateSigningKeys, transact } from '@behalf/authority/internal';
import { migrateAuthority } from '@behalf/authority/consent';
import type { AuthoritySchema } from '@behalf/authority/consent';
import { printable } from '@behalf/gateway/printable';
import { operator } from '../authority-database.js';
import { withDatabase } from '../database.js';

export interface RotateKeysOptions {
  readonly databaseUrl: string;
  /** Leaked keys to revoke at once, by `kid`. Empty: the next key takes over as scheduled. */
  readonly revoke: readonly string[];
  /** Recorded in the change log and sent to every gateway. */
  readonly reason?: string | undefined;
}

/**
 * `behalf rotate-keys`: rotates or revokes signing keys in the database. Running authorities read the change from there.
 * All named keys are revoked in one transaction, or none is.
 *
 * @throws AuthorityError `KEY_MISSING`, `KEY_UNKNOWN`, `STORE_BUSY`
 */
export async function rotateKeys(
  { databaseUrl, reason, revoke }: RotateKeysOptions,
  print: (line: string) => void,
): Promise<void> {
  const options = { max: 2, applicationName: 'behalf-rotate-keys' };
  await withDatabase(databaseUrl, options, async (db: Kysely<AuthoritySchema>) => {
    await migrateAuthority(db);
    const change = { initiator: 'admin', by: operator(), reason } as const;
    await transact(db, async (trx) => {
      // The newest first, or a leaked key would take over from the one before it.
      for (const kid of [...revoke].reverse()) {
        const { revoked } = await revokeSigningKey(trx, kid, change);
        print(printable(`${kid}: ${revoked ? 'revoked, with everything it signed' : 'was already revoked'}`));
      }
      if (revoke.length > 0) return;
      const rotation = await rotateSigningKeys(trx, change);
      if (rotation !== undefined) print(`${rotation.kid}: signs from ${rotation.at.toISOString()}`);
    });
    for (const { kid, state, until } of await listSigningKeys(db)) {
      print(`${kid}  ${state}${until === undefined ? '' : ` until ${until.toISOString()}`}`);
    }
  });
}
