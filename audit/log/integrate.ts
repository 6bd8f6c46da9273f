import { sql } from 'kysely';
import type { Kysely, Transaction } from 'kysely';
import type { AuditDatabase, PendingTable } from '../schema.js';
import { entryBytes } from './entry.js';
import { LogError } from './errors.js';
import { hashLeaf, splitHashes, TILE_WIDTH } from './hashing.js';
import { edgeWidth, levelsOf, TileTree } from './tile-tree.js';
import type { ChangedTile } from './tile-tree.js';

/** For one transaction, so that it stays short. */
const MAX_BATCH = 5_000;
const LOCK_TIMEOUT = '2s';

/** The tree as it is committed. */
export interface Head {
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
}

/**
 * Moves waiting entries into the tree, in one transaction: entries, tiles and head change together or not at all. The head's row
 * is locked, so two sequencers cannot give one place to two entries.
 *
 * @returns the head, and whether more may be waiting
 * @throws {LogError} `LOG_ORIGIN_CHANGED` or `LOG_DAMAGED`
 */
export async function integrate(
  db: Kysely<AuditDatabase>,
  origin: string,
): Promise<{ readonly head: Head; readonly hasMore: boolean }> {
  return db.transaction().execute(async (trx) => {
    await sql`select set_config('lock_timeout', ${LOCK_TIMEOUT}, true)`.execute(trx);
    const head = await lockHead(trx, origin);
    const waiting = await takeWaiting(trx);
    if (waiting.length === 0) return { head, hasMore: false };
    const tree = await readTree(trx, head);
    const leaves = waiting.map((entry) => hashLeaf(bytesOf(entry)));
    const tiles = tree.append(leaves);
    await storeEntries(trx, waiting, head.size);
    await storeTiles(trx, tiles);
    const next = { origin, size: tree.size, root: tree.root() };
    await trx.updateTable('audit.head').set({ size: next.size, root: next.root }).execute();
    return { head: next, hasMore: waiting.length === MAX_BATCH };
  });
}

async function lockHead(trx: Transaction<AuditDatabase>, origin: string): Promise<Head> {
  const row = await trx.selectFrom('audit.head').selectAll().forUpdate().executeTakeFirst();
  if (row === undefined) throw new LogError('LOG_DAMAGED', 'the head of the log is gone');
  if (row.origin === null) await trx.updateTable('audit.head').set({ origin }).execute();
  else if (row.origin !== origin) {
    throw new LogError('LOG_ORIGIN_CHANGED', `the log in the database is ${row.origin}, not ${origin}`);
  }
  return { origin, size: row.size, root: row.root };
}

/** Those that are committed, in the order of arrival. Others are taken by a later call. */
async function takeWaiting(trx: Transaction<AuditDatabase>): Promise<PendingTable[]> {
  const { rows } = await sql<PendingTable>`
    delete from audit.pending
    where seq in (select seq from audit.pending order by seq limit ${MAX_BATCH})
    returning seq, recorded_at, class, content_hash`.execute(trx);
  return rows.sort((a, b) => a.seq - b.seq);
}

function bytesOf({
  class: recordClass,
  recorded_at: recordedAt,
  content_hash: contentHash,
}: PendingTable): Buffer {
  return entryBytes({ recordClass, recordedAtMs: recordedAt.getTime(), contentHash });
}

/** The tiles that are not whole. They are compared with the head, so that what was tampered with is never signed. */
async function readTree(trx: Transaction<AuditDatabase>, { size, root }: Head): Promise<TileTree> {
  const edge: Buffer[][] = [];
  for (let level = 0; level < levelsOf(size); level++) {
    const width = edgeWidth(size, level);
    const index = Math.floor(size / TILE_WIDTH ** (level + 1));
    const hashes = width === 0 ? [] : splitHashes(await readTile(trx, level, index)).slice(0, width);
    if (hashes.length < width) throw damaged(size);
    edge.push(hashes);
  }
  const tree = new TileTree(size, edge);
  if (Buffer.compare(tree.root(), root) !== 0) throw damaged(size);
  return tree;
}

function damaged(size: number): LogError {
  return new LogError('LOG_DAMAGED', `the stored hashes are not those of the log's ${size} entries`);
}

async function readTile(trx: Transaction<AuditDatabase>, level: number, index: number): Promise<Buffer> {
  const row = await trx
    .selectFrom('audit.tile')
    .select('hashes')
    .where('level', '=', level)
    .where('index', '=', index)
    .executeTakeFirst();
  return row?.hashes ?? Buffer.of();
}

async function storeEntries(
  trx: Transaction<AuditDatabase>,
  entries: readonly PendingTable[],
  firstIndex: number,
): Promise<void> {
  await sql`
    insert into audit.leaf (log_index, seq, recorded_at, class, content_hash)
    select ${firstIndex}::bigint + place - 1, seq, recorded_at, class, content_hash
    from unnest(
      ${entries.map(({ seq }) => seq)}::bigint[],
      ${entries.map(({ recorded_at: at }) => at)}::timestamptz[],
      ${entries.map((entry) => entry.class)}::text[],
      ${entries.map(({ content_hash: hash }) => hash)}::bytea[]
    ) with ordinality as entry (seq, recorded_at, class, content_hash, place)`.execute(trx);
}

async function storeTiles(trx: Transaction<AuditDatabase>, tiles: readonly ChangedTile[]): Promise<void> {
  await sql`
    insert into audit.tile (level, index, hashes)
    select * from unnest(
      ${tiles.map(({ level }) => level)}::smallint[],
      ${tiles.map(({ index }) => index)}::bigint[],
      ${tiles.map(({ hashes }) => Buffer.concat(hashes))}::bytea[]
    )
    on conflict (level, index) do update set hashes = excluded.hashes`.execute(trx);
}
