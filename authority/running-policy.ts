import { sql } from 'kysely';

import { type Policy, policyVersion } from '@behalf/policy';
import type { AuthorityDatabase } from './schema.js';

/** Records which clients the policy in force knows. Only commands read it, so that they can warn. */
export async function recordRunningPolicy(db: AuthorityDatabase, policy: Policy): Promise<void> {
  await sql`
    insert into authority.running_policy (single, version, clients)
    values (true, ${policyVersion(policy)}, ${[...policy.clients.keys()]}::text[])
    on conflict (single) do update
      set version = excluded.version, clients = excluded.clients, recorded_at = clock_timestamp()`.execute(
    db,
  );
}

/** Whether the running policy knows the client; undefined if no authority has run on this store yet. */
export async function isKnownToRunningPolicy(
  db: AuthorityDatabase,
  clientId: string,
): Promise<boolean | undefined> {
  const row = await db.selectFrom('authority.running_policy').select('clients').executeTakeFirst();
  if (row === undefined) return undefined;
  // Without any clients, the policy sets no ceilings; `*` stands for every other client.
  return row.clients.length === 0 || row.clients.includes(clientId) || row.clients.includes('*');
}
