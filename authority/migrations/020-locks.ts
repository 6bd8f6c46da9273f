import { type Migration, sql } from 'kysely';

import { DECISION_LOCKS } from '../locks.js';

const STATEMENTS = [
  // Rows that only this schema's owner can lock. An advisory lock can be held by any role that can connect.
  sql`create table lock (name text primary key)`,
  sql`insert into lock select 'decision ' || n from generate_series(0, ${sql.lit(DECISION_LOCKS - 1)}) n`,
  sql`insert into lock values ('signing keys')`,

  // Any role can notify on a channel whose name it knows, so the names are random.
  sql`create table channel (name text primary key, channel text not null unique)`,
  sql`insert into channel (name, channel)
    select name, 'behalf_' || replace(gen_random_uuid()::text, '-', '')
    from unnest(array['change', 'acknowledged', 'expiry']) name`,
  // A transaction that is repeated because the notification queue was full sends none: listeners also look by themselves.
  sql`create function wake(which text) returns void language plpgsql as $$
    begin
      if current_setting('behalf.quiet', true) is distinct from 'on' then
        perform pg_notify((select c.channel from authority.channel c where c.name = which), '');
      end if;
    end $$`,
  sql`revoke all on function wake(text) from public`,

  sql`alter table stream
    add column push_lease text,
    add column push_lease_until timestamptz not null default '-infinity'`,
];

/** The locks and notifications between instances, out of reach of the gateways' roles. */
export const locks: Migration = {
  async up(db) {
    for (const statement of STATEMENTS) await statement.execute(db);
  },
};
