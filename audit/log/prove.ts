import type { Kysely } from 'kysely';
import type { AuditDatabase } from '../schema.js';
import { entryBytes } from './entry.js';
import { ProofMaker } from './proofs.js';
import { tileReader } from './tile-reader.js';

/** The state of a record's proof. */
export type ProofResult =
  /** The text of a `.tlog-proof`. */
  | { readonly proof: string }
  /** `unknown`: no record of that transaction. `pending`: it is durable, but no checkpoint covers it yet. */
  | { readonly missing: 'unknown' | 'pending' };

/**
 * Makes the proof of a transaction's record: the record, its place, and the newest checkpoint (C2SP tlog-proof). It is verified
 * offline, with `@behalf/audit-verify`.
 */
export async function proveRecord(db: Kysely<AuditDatabase>, transactionId: string): Promise<ProofResult> {
  const record = await selectProvable(db)
    .where('record.transaction_id', '=', transactionId)
    // How a request ended rather than its intent or an event. A record that was stored twice has the receipt of the last.
    .orderBy((column) => column('record.outcome', 'is not distinct from', null))
    .orderBy((column) => column('record.outcome', '=', 'intended'))
    .orderBy('record.recorded_at', 'desc')
    .orderBy('record.seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return prove(db, record);
}

/** Makes the proof of the record at a place, as {@link proveRecord} does. */
export async function proveRecordAt(
  db: Kysely<AuditDatabase>,
  { recordedAt, seq }: { readonly recordedAt: Date; readonly seq: number },
): Promise<ProofResult> {
  const record = await selectProvable(db)
    .where('record.recorded_at', '=', recordedAt)
    .where('record.seq', '=', seq)
    .executeTakeFirst();
  return prove(db, record);
}

type Provable = Awaited<ReturnType<ReturnType<typeof selectProvable>['execute']>>[number];

function selectProvable(db: Kysely<AuditDatabase>) {
  return db
    .selectFrom('audit.record as record')
    .leftJoin('audit.leaf as leaf', 'leaf.seq', 'record.seq')
    .select(['record.content', 'leaf.log_index', 'leaf.recorded_at', 'leaf.class', 'leaf.content_hash']);
}

async function prove(db: Kysely<AuditDatabase>, record: Provable | undefined): Promise<ProofResult> {
  if (record === undefined) return { missing: 'unknown' };
  const {
    content,
    log_index: index,
    recorded_at: recordedAt,
    class: recordClass,
    content_hash: contentHash,
  } = record;
  if (index === null || recordedAt === null || recordClass === null || contentHash === null) {
    return { missing: 'pending' };
  }
  const checkpoint = await newestCheckpoint(db);
  if (checkpoint === undefined || checkpoint.size <= index) return { missing: 'pending' };
  const hashes = await new ProofMaker(tileReader(db)).inclusion(index, checkpoint.size);
  const entry = entryBytes({ recordClass, recordedAtMs: recordedAt.getTime(), contentHash });
  return { proof: proofText(Buffer.concat([entry, Buffer.from(content)]), index, hashes, checkpoint.note) };
}

/** The newest checkpoint that counts: with the quorum of witnesses, if the log needs it. */
export async function newestCheckpoint(
  db: Kysely<AuditDatabase>,
): Promise<{ readonly size: number; readonly note: string } | undefined> {
  return db
    .selectFrom('audit.checkpoint as checkpoint')
    .innerJoin('audit.head as head', 'head.origin', 'checkpoint.origin')
    .select(['checkpoint.size', 'checkpoint.note'])
    .where((column) =>
      column.or([column('head.needs_witnesses', '=', false), column('checkpoint.is_witnessed', '=', true)]),
    )
    .orderBy('checkpoint.size', 'desc')
    .limit(1)
    .executeTakeFirst();
}

function proofText(extra: Buffer, index: number, hashes: readonly Buffer[], checkpoint: string): string {
  const lines = [
    'c2sp.org/tlog-proof@v1',
    `extra ${extra.toString('base64')}`,
    `index ${index}`,
    ...hashes.map((hash) => hash.toString('base64')),
  ];
  return `${lines.join('\n')}\n\n${checkpoint}`;
}
