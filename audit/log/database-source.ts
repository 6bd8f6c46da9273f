import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { AuditDatabase } from '../schema.js';
import { entryBytes } from './entry.js';
import { HASH_BYTES, TILE_WIDTH } from './hashing.js';
import { newestCheckpoint } from './prove.js';

/** The places of a tile that are wanted. */
interface Place {
  readonly index: number;
  readonly width: number;
}

/** Most earlier checkpoints that are compared. */
const MAX_EARLIER = 10_000;

/** A log in a database, in the forms of C2SP tlog-tiles, which `verifyLog` of `@behalf/audit-verify` reads. */
export class DatabaseSource {
  readonly #db: Kysely<AuditDatabase>;

  constructor(db: Kysely<AuditDatabase>) {
    this.#db = db;
  }

  async checkpoint(): Promise<string | undefined> {
    return (await newestCheckpoint(this.#db))?.note;
  }

  /** Several are signed in a second. If they are very many, these are spread evenly: a changed entry changes all behind it. */
  async earlierCheckpoints(): Promise<string[]> {
    const { rows } = await sql<{ note: string }>`
      select note from (
        select note, row_number() over newest_first as place, count(*) over () as total
        from audit.checkpoint join audit.head using (origin)
        window newest_first as (order by checkpoint.size desc)
      ) as kept
      where place > 1 and place % greatest(1, (total + ${MAX_EARLIER - 1}) / ${MAX_EARLIER}) = 0`.execute(
      this.#db,
    );
    return rows.map(({ note }) => note);
  }

  async tile(level: number, { index, width }: Place): Promise<Buffer | undefined> {
    const row = await this.#db
      .selectFrom('audit.tile')
      .select('hashes')
      .where('level', '=', level)
      .where('index', '=', index)
      .executeTakeFirst();
    return row?.hashes.subarray(0, width * HASH_BYTES);
  }

  async entries(place: Place): Promise<Buffer> {
    const rows = await this.#db
      .selectFrom('audit.leaf')
      .select(['log_index', 'recorded_at', 'class', 'content_hash'])
      .where('log_index', '>=', place.index * TILE_WIDTH)
      .where('log_index', '<', place.index * TILE_WIDTH + place.width)
      .orderBy('log_index')
      .execute();
    const entries: Buffer[] = [];
    for (const [at, row] of rows.entries()) {
      // Entries behind a gap are not in their places.
      if (row.log_index !== place.index * TILE_WIDTH + at) break;
      const entry = storedEntry(row.class, Number(row.recorded_at), row.content_hash);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(entry.length);
      entries.push(length, entry);
    }
    return Buffer.concat(entries);
  }

  /** Null for a record that is not there. */
  async records(place: Place): Promise<(string | null)[]> {
    const rows = await this.#db
      .selectFrom('audit.leaf as leaf')
      .leftJoin('audit.record as record', (join) =>
        join.onRef('record.recorded_at', '=', 'leaf.recorded_at').onRef('record.seq', '=', 'leaf.seq'),
      )
      .select('record.content')
      .where('leaf.log_index', '>=', place.index * TILE_WIDTH)
      .where('leaf.log_index', '<', place.index * TILE_WIDTH + place.width)
      .orderBy('leaf.log_index')
      .execute();
    return rows.map(({ content }) => content);
  }
}

/** The length of an entry in a bundle has two bytes. */
const MAX_ENTRY_BYTES = 2 ** 16 - 1;

/** Empty, which a verifier reports at its place, if the row cannot be one: PostgreSQL's `infinity` is no time of an entry. */
function storedEntry(recordClass: string, recordedAtMs: number, contentHash: Buffer): Buffer {
  if (!Number.isFinite(recordedAtMs)) return Buffer.alloc(0);
  const entry = entryBytes({ recordClass, recordedAtMs, contentHash });
  return entry.length > MAX_ENTRY_BYTES ? Buffer.alloc(0) : entry;
}
