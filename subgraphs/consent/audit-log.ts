import { GraphQLError } from 'graphql';
import type { Kysely } from 'kysely';

import { AuditError } from '@behalf/audit';
import type { AuditEntry } from '@behalf/audit';
import { proveRecordAt } from '@behalf/audit/internal/log';
import { searchAudit } from '@behalf/audit/postgres';
import type { AuditDatabase, AuditFilter, AuditPage, StoredAuditRecord } from '@behalf/audit/postgres';
import { badUserInput } from './errors.js';

/** A record of the log. */
export type StoredEntry = StoredAuditRecord<AuditEntry>;

export interface PageArguments {
  readonly first?: number | null;
  readonly after?: string | null;
}

const DEFAULT_FIRST = 20;

/** @throws GraphQLError `NO_AUDIT_LOG` when the subgraph was given no log */
export function needAuditLog(audit: Kysely<AuditDatabase> | undefined): Kysely<AuditDatabase> {
  if (audit !== undefined) return audit;
  throw new GraphQLError('The audit log cannot be searched here', {
    extensions: { code: 'NO_AUDIT_LOG' },
  });
}

/** @throws GraphQLError `BAD_USER_INPUT` */
export async function searchPage(
  db: Kysely<AuditDatabase>,
  filter: AuditFilter,
  { after, first }: PageArguments,
): Promise<AuditPage> {
  return refuseUnusable(
    () => searchAudit(db, filter, { first: first ?? DEFAULT_FIRST, after: after ?? undefined }),
    inSchemaWords,
  );
}

/** Tells the caller what cannot be searched for. The message never quotes a value. */
export async function refuseUnusable<Result>(
  search: () => Promise<Result>,
  wordsOf = (message: string): string => message,
): Promise<Result> {
  try {
    return await search();
  } catch (error) {
    if (error instanceof AuditError && error.code === 'AUDIT_SEARCH_REFUSED') {
      throw badUserInput(wordsOf(error.message));
    }
    throw error;
  }
}

/** The schema has other names for three members of the filter. */
function inSchemaWords(message: string): string {
  return message.replace(/^"(client|transaction)"/, '"$1Id"').replace(/^"subject"/, '"pseudonym"');
}

/** A page as the schema has it. */
export function connectionOf<Node>({ next }: AuditPage, nodes: readonly Node[], { after }: PageArguments) {
  return {
    edges: nodes.map((node) => ({ node })),
    pageInfo: {
      hasNextPage: next !== undefined,
      hasPreviousPage: after !== undefined && after !== null,
      startCursor: null,
      endCursor: next ?? null,
    },
  };
}

/** The text of a record's proof; null until the log is signed. */
export async function proofOf(db: Kysely<AuditDatabase>, stored: StoredEntry): Promise<string | null> {
  const result = await proveRecordAt(db, stored);
  return 'proof' in result ? result.proof : null;
}

/** The fields that a record names. Of a mutation that was about to run, nothing was decided yet. */
export function fieldsOf(record: AuditEntry) {
  if ('event' in record) return [];
  return [...record.fields, ...(record.mutates ?? []).map((coordinate) => ({ coordinate }))];
}

/** The values of the schema's enums, by its names. */
export const auditEnums = {
  AccessOutcome: {
    ANSWERED: 'answered',
    INTENDED: 'intended',
    EXPLAINED: 'explained',
    AUTHENTICATION_FAILED: 'authentication-failed',
    PASSED_ON: 'passed-on',
    REFUSED: 'refused',
    FAILED: 'failed',
  },
  FieldDecision: {
    ALLOWED: 'allowed',
    MINIMIZED: 'minimized',
    DENIED: 'denied',
    ASKED: 'asked',
    WOULD_DENY: 'would-deny',
    WOULD_MINIMIZE: 'would-minimize',
  },
  RecordClass: { ACCESS: 'access', CONSENT: 'consent', SECURITY: 'security', LOG: 'log' },
} as const;
