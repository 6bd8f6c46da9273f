import type { AuthorityDatabase } from '../schema.js';

/** Whether any account has this subject, including accounts that cannot sign in at present. */
export async function isSubject(db: AuthorityDatabase, id: string): Promise<boolean> {
  const row = await db
    .selectFrom('authority.account')
    .select('subject')
    .where('subject', '=', id)
    .executeTakeFirst();
  return row !== undefined;
}
