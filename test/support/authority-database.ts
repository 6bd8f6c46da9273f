import { hash } from '@node-rs/argon2';

import { openDatabase } from '@behalf/store';
import { migrateAuthority } from '@behalf/authority/consent';
import type { AuthoritySchema } from '@behalf/authority/consent';
import { DEMO_ACCOUNTS } from '../../subgraphs/bank/start/demo.js';
import { createTestDatabase, ensureTemplate, type TestDatabase } from './database.js';

// A hash states what it cost, so a password is checked at the cost at which it was stored. Tests sign in often, and guess more often.
const CHEAP_ARGON2ID = { memoryCost: 8, timeCost: 1, parallelism: 1 };

/**
 * A database with the authority's tables, as a copy of one that is migrated once for a run.
 *
 * @param options.demo whether the demo's people are in it; an authority leaves them as they are
 */
export async function createAuthorityDatabase({ demo = false } = {}): Promise<TestDatabase<AuthoritySchema>> {
  const template = await ensureTemplate(demo ? 'authority_demo' : 'authority', async (url) => {
    const db = openDatabase<AuthoritySchema>(url, { max: 1 });
    await migrateAuthority(db);
    if (demo) await addDemoAccounts(db);
    await db.destroy();
  });
  return createTestDatabase<AuthoritySchema>({ template });
}

async function addDemoAccounts(db: TestDatabase<AuthoritySchema>['db']): Promise<void> {
  for (const { displayName, password, policies, roles, ...account } of DEMO_ACCOUNTS) {
    const row = { ...account, display_name: displayName, demo: true };
    const password_hash = await hash(password, CHEAP_ARGON2ID);
    await db
      .insertInto('authority.account')
      .values({ ...row, password_hash, roles: [...roles], policies: [...policies] })
      .execute();
  }
}
