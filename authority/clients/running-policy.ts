import { sql } from 'kysely';

import { type Policy, policyVersion } from '@behalf/policy';
import { recordEvents } from '../audit/record-events.js';
import type { AuthorityDatabase } from '../schema.js';
import { transact } from '../transact.js';

/**
 * Records which clients the policy in force knows, so that commands can warn, and for the audit log that it is another one than
 * before.
 */
export async function recordRunningPolicy(db: AuthorityDatabase, policy: Policy): Promise<void> {
  const version = policyVersion(policy);
  await transact(db, async (trx) => {
    const before = await trx
      .selectFrom('authority.running_policy')
      .select('version')
      .forUpdate()
      .executeTakeFirst();
    await sql`
      insert into authority.running_policy (single, version, clients)
      values (true, ${version}, ${[...policy.clients.keys()]}::text[])
      on conflict (single) do update
        set version = excluded.version, clients = excluded.clients, recorded_at = clock_timestamp()`.execute(
      trx,
    );
    if (before?.version === version) return;
    await recordEvents(trx, [{ event: 'policy-changed', details: { version, replaces: before?.version } }]);
  });
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
