import type { Kysely } from 'kysely';
import type { AuditEntry, LoggedEntry } from '@behalf/audit';
import { storedClassOf } from '@behalf/audit/internal';
import { lookUpSubject, MAX_AUDIT_PAGE, recordLookUp, searchAudit } from '@behalf/audit/postgres';
import type { AuditDatabase, AuditFilter } from '@behalf/audit/postgres';
import { systemClock, withoutUndefined } from '@behalf/directives/internal';
import { withDatabase } from '../database.js';
import { AuditFile } from './audit-file.js';
import type { AuditSource, Printing } from './audit-tail.js';
import { type AuditFormat, formatRecord } from './describe-record.js';

/** A person who is looked for. It is recorded before anything is shown. */
export interface SubjectToFind {
  /** Absent for one who is looked for by `filter.subject`. */
  readonly name?: string | undefined;
  readonly operator: string;
  readonly reason: string;
}

export interface AuditSearchOptions {
  readonly source: AuditSource;
  readonly filter: AuditFilter;
  /** With its name, it takes the place of `filter.subject`. Only in a database. */
  readonly subject?: SubjectToFind | undefined;
  readonly limit: number;
  readonly format: AuditFormat;
}

/** Takes the next record that matches. @returns false when no more are needed */
type Take = (entry: LoggedEntry) => boolean;

/** `behalf audit search`: prints the newest records that match, the newest first. */
export async function auditSearch(options: AuditSearchOptions, { print, warn }: Printing): Promise<void> {
  const { format, limit, source } = options;
  let count = 0;
  const take = (entry: LoggedEntry): boolean => {
    count += 1;
    if (count <= limit) print(formatRecord(entry, format));
    return count <= limit;
  };
  if ('databaseUrl' in source) await searchDatabase(source.databaseUrl, options, take);
  else await searchFile(source.file, options.filter, take, warn);
  if (count === 0) warn('No record matches');
  else if (count > limit) warn(`There are more than ${limit}: see --lines`);
}

async function searchDatabase(
  databaseUrl: string,
  { filter, limit, subject }: AuditSearchOptions,
  take: Take,
): Promise<void> {
  const database = { max: 1, applicationName: 'behalf-audit-search' };
  await withDatabase(databaseUrl, database, async (db: Kysely<AuditDatabase>) => {
    const isNamed = subject?.name !== undefined;
    const pseudonym = isNamed
      ? await lookUpSubject(db, subject.name, subject, systemClock.now())
      : filter.subject;
    // Without it, the filter would find everybody's.
    if (isNamed && pseudonym === undefined) return;
    const search = withoutUndefined({ ...filter, subject: pseudonym });
    const first = Math.min(limit + 1, MAX_AUDIT_PAGE);
    for (let after: string | undefined; ;) {
      const { next, records } = await searchAudit(db, search, { first, after });
      const isFirst = after === undefined && records.length > 0;
      if (isFirst && !isNamed && subject !== undefined && pseudonym !== undefined)
        await recordLookUp(db, pseudonym, subject, systemClock.now());
      if (!records.every(take) || next === undefined) return;
      after = next;
    }
  });
}

async function searchFile(
  path: string,
  filter: AuditFilter,
  take: Take,
  warn: (line: string) => void,
): Promise<void> {
  await AuditFile.use(path, async (file) => {
    for await (const record of file.backwards(await file.end())) {
      if (record === undefined) warn(`${path}: a line is no record`);
      else if (matches(record, filter) && !take({ record })) return;
    }
  });
}

/** As in the database, but by the record's own time: a file has no other. */
export function matches(record: AuditEntry, { from, until, ...filter }: AuditFilter): boolean {
  if (from !== undefined && record.time < from.getTime()) return false;
  if (until !== undefined && record.time >= until.getTime()) return false;
  const { caller, subjects = [], transactionId } = record;
  const isEvent = 'event' in record;
  const values: { readonly [Name in keyof typeof filter]-?: readonly unknown[] } = {
    subject: [caller.subjectPseudonym, ...subjects],
    client: [caller.clientId],
    actor: [caller.actor],
    coordinate: isEvent ? [] : [...record.fields.map((each) => each.coordinate), ...(record.mutates ?? [])],
    outcome: [isEvent ? undefined : record.outcome],
    event: [isEvent ? record.event : undefined],
    class: [storedClassOf(record)],
    transaction: [transactionId],
  };
  return (Object.entries(filter) as [keyof typeof filter, string | undefined][]).every(
    ([name, value]) => value === undefined || values[name].includes(value),
  );
}
