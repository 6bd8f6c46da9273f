import { migrate } from '@behalf/store/internal';
import type { AuthorityDatabase } from '../schema.js';
import { first } from './001-first.js';
import { keys } from './003-keys.js';
import { revocation } from './004-revocation.js';
import { consent } from './005-consent.js';
import { clientSecrets } from './006-client-secrets.js';
import { streamSecrets } from './007-stream-secrets.js';
import { lineage } from './010-lineage.js';
import { locks } from './020-locks.js';
import { runningPolicy } from './021-running-policy.js';
import { auditOutbox } from './022-audit-outbox.js';
import { forgottenPeople } from './023-forgotten-people.js';
import { levels } from './024-levels.js';
import { namesInAnyLanguage } from './025-names-in-any-language.js';

/**
 * Migrates the authority's tables to the newest version. Several processes may call it at the same time.
 *
 * @throws StoreError `MIGRATION_FAILED`, `DATABASE_RIGHTS`, `DATABASE_BUSY`
 *
 * @example
 * ```ts
 * import { type AuthoritySchema, migrateAuthority } from '@behalf/authority/consent';
 * import { openDatabase } from '@behalf/store';
 *
 * const db = openDatabase<AuthoritySchema>('postgres://behalf@db.example/behalf');
 * await migrateAuthority(db);
 * await db.destroy();
 * ```
 */
export async function migrateAuthority(db: AuthorityDatabase): Promise<void> {
  await migrate(db, {
    part: 'authority',
    migrations: {
      '001-first': first,
      '003-keys': keys,
      '004-revocation': revocation,
      '005-consent': consent,
      '006-client-secrets': clientSecrets,
      '007-stream-secrets': streamSecrets,
      '010-lineage': lineage,
      '020-locks': locks,
      '021-running-policy': runningPolicy,
      '022-audit-outbox': auditOutbox,
      '023-forgotten-people': forgottenPeople,
      '024-levels': levels,
      '025-names-in-any-language': namesInAnyLanguage,
    },
  });
}
