import type { Kysely } from 'kysely';
import type { AuditDatabase } from '../schema.js';
import type { ReadTile } from './proofs.js';

/** Reads stored tiles, whole or growing. */
export function tileReader(db: Kysely<AuditDatabase>): ReadTile {
  return async (level, index) => {
    const row = await db
      .selectFrom('audit.tile')
      .select('hashes')
      .where('level', '=', level)
      .where('index', '=', index)
      .executeTakeFirst();
    return row?.hashes;
  };
}
