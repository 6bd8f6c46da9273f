import { type Kysely, sql } from 'kysely';

/** Makes everything that the authority waits with look older by more than the hour for which it keeps a forgotten name. */
export async function passAnHour(db: Kysely<never>): Promise<void> {
  const hour = sql`interval '61 minutes'`;
  await db.transaction().execute(async (trx) => {
    await sql`alter table authority.change_event disable trigger append_only`.execute(trx);
    await sql`update authority.change_event set occurred_at = occurred_at - ${hour}`.execute(trx);
    await sql`alter table authority.change_event enable trigger append_only`.execute(trx);
    await sql`update authority.forgotten_person set forgotten_at = forgotten_at - ${hour}`.execute(trx);
    await sql`update authority.subject_cutoff set not_before = not_before - ${hour}`.execute(trx);
  });
}

/** Where a text occurs in a schema: the names of its tables. */
export async function tablesWith(db: Kysely<never>, schema: string, text: string): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select table_name as name from information_schema.tables
    where table_schema = ${schema} and table_type = 'BASE TABLE' order by table_name`.execute(db);
  const found: string[] = [];
  for (const { name } of rows) {
    const { rows: with_ } = await sql`
      select 1 from ${sql.table(`${schema}.${name}`)} as t where strpos(t::text, ${text}) > 0 limit 1`.execute(
      db,
    );
    if (with_.length > 0) found.push(`${schema}.${name}`);
  }
  return found;
}
