import { generateKeyPairSync } from 'node:crypto';
import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import { DatabaseSource, Sequencer, verifierKey } from '@behalf/audit/internal/log';
import type { AuditDatabase } from '@behalf/audit/postgres';
import { parsePolicy, verifyLog } from '@behalf/audit-verify';

const RECORDS = Number(process.env['BENCH_RECORDS'] ?? 1_000_000);
const PER_CALL = 1_000;
const ORIGIN = 'audit.bench.example';

/** How long the whole log takes to verify, from a database on this machine. */
export async function benchVerification(db: Kysely<AuditDatabase>): Promise<void> {
  console.log(`\nWriting ${RECORDS} records`);
  for (let written = 0; written < RECORDS; written += PER_CALL) await append(db, written);
  const key = { name: ORIGIN, privateKey: generateKeyPairSync('ed25519').privateKey };
  const sequencer = new Sequencer({ db, keys: [key], log: { log: (_level, code) => console.error(code) } });
  await sequencer.round();
  await sequencer.close();
  const policy = parsePolicy(`log ${verifierKey(key)}\nquorum none\n`);
  const began = performance.now();
  const { findings, records } = await verifyLog(new DatabaseSource(db), policy);
  const seconds = (performance.now() - began) / 1_000;
  if (findings.length > 0) throw new Error(`the log is not whole: ${findings[0]?.message ?? ''}`);
  console.log(
    `Verification of ${records} records: ${seconds.toFixed(1)} s, ${(records / seconds).toFixed(0)} per second`,
  );
}

async function append(db: Kysely<AuditDatabase>, first: number): Promise<void> {
  await sql`select from audit.append((
    select jsonb_agg(jsonb_build_object(
      'class', 'access', 'transactionId', gen_random_uuid(), 'time', floor(extract(epoch from clock_timestamp()) * 1000),
      'outcome', 'answered', 'caller', jsonb_build_object('clientId', 'app-' || n % 100),
      'fields', jsonb_build_array(jsonb_build_object('coordinate', 'Account.iban', 'decision', 'allowed', 'count', 1)),
      'salt', n::text)::text)
    from generate_series(${first}::integer, ${first + PER_CALL - 1}::integer) as n))`.execute(db);
}
