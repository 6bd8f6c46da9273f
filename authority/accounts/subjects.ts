import type { AuthorityDatabase } from '../schema.js';

/** Whether it is the subject of anybody, also of somebody who cannot sign in here now. */
export async function isSubject(db: AuthorityDatabase, id: string): Promise<boolean> {
  const row = await db
    .selectFrom('authority.account')
    .select('subject')
    .where('subject', '=', id)
    .executeTakeFirst();
  return row !== undefined;
}
