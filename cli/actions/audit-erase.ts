import type { Kysely } from 'kysely';
import type { RecordClass } from '@behalf/audit';
import { eraseRecords, eraseSubject } from '@behalf/audit/postgres';
import type { AuditDatabase, Erasing } from '@behalf/audit/postgres';
import { systemClock } from '@behalf/directives/internal';
import { withDatabase } from '../database.js';

const DATABASE = { max: 1, applicationName: 'behalf-audit-erase' };

/** `behalf audit erase`: destroys a person's key. @returns 0, or 1 when the log has none of theirs */
export async function auditErase(
  databaseUrl: string,
  subject: string,
  erasing: Erasing,
  print: (line: string) => void,
): Promise<0 | 1> {
  const isErased = await withDatabase(databaseUrl, DATABASE, (db: Kysely<AuditDatabase>) =>
    eraseSubject(db, subject, erasing, systemClock.now()),
  );
  // The name stays out: a terminal's history is kept as well.
  print(isErased ? 'Their key is destroyed: no pseudonym leads to them' : 'The log does not know them');
  // Records name consents.
  if (isErased) print('Unless behalf consents forget came first, their consents still lead to their records');
  return isErased ? 0 : 1;
}

/** `behalf audit prune`: erases the texts of old records of one class. */
export async function auditPrune(
  databaseUrl: string,
  recordClass: RecordClass,
  before: Date,
  erasing: Erasing,
  print: (line: string) => void,
): Promise<void> {
  const count = await withDatabase(databaseUrl, DATABASE, (db: Kysely<AuditDatabase>) =>
    eraseRecords(db, recordClass, before, erasing, systemClock.now()),
  );
  print(`${count} records of class ${recordClass} before ${before.toISOString()} are erased`);
}
