import type {
  Consent,
  ConsentFilter,
  ConsentStatus,
  DetailLevel,
  RevocationOutcome,
  SuspensionTarget,
} from '@behalf/authority/consent';
import { badUserInput } from './errors.js';
import { DateTimeScalar, JsonScalar } from './scalars.js';
import { ACCESSED_BY, accessFields, accessHistory } from './access-history.js';
import { auditEvents, auditRecordFields } from './audit-events.js';
import { auditEnums } from './audit-log.js';
import { tellBusy } from './busy.js';
import { type ConsentContext, findConsent } from './context.js';
import { exportConsents, exportMyConsents } from './export.js';
import { mayNeedId } from './input.js';
import { mutations, suspensionFields } from './mutations.js';
import { narrowConsent } from './narrow.js';

interface ListArguments {
  readonly filter?: {
    readonly subject?: string | null;
    readonly clientId?: string | null;
    readonly status?: ConsentStatus | null;
  } | null;
  readonly first?: number | null;
  readonly after?: string | null;
}

/** The register's values, by the schema's names. */
const STATUS: Record<string, ConsentStatus> = {
  ACTIVE: 'active',
  REVOKED: 'revoked',
  EXPIRED: 'expired',
  REPLACED: 'replaced',
};
const DETAIL: Record<string, DetailLevel> = { FULL: 'full', MINIMAL: 'minimal' };
const OUTCOME: Record<string, RevocationOutcome> = { DONE: 'done', ALREADY: 'already', UNKNOWN: 'unknown' };
const SUSPENSION_KIND: Record<string, SuspensionTarget['kind']> = {
  CLIENT: 'client',
  SCOPE: 'scope',
  EVERYTHING: 'everything',
};

const levels = ({ levels: chosen }: Pick<Consent, 'levels'>) =>
  Object.entries(chosen).map(([of, all]) => ({ of, levels: all }));

const dates = {
  grantedAt: ({ grantedAt }: Consent) => grantedAt.toISOString(),
  until: ({ until }: Consent) => until.toISOString(),
  endedAt: ({ endedAt }: Consent) => endedAt?.toISOString() ?? null,
};

async function listConsents({ filter, first, after }: ListArguments, { register }: ConsentContext) {
  const match: ConsentFilter = {
    subject: mayNeedId('subject', filter?.subject),
    clientId: mayNeedId('clientId', filter?.clientId),
    status: filter?.status ?? undefined,
  };
  try {
    const page = await register.list(match, { first: first ?? undefined, after: after ?? undefined });
    return {
      edges: page.items.map((node) => ({ node })),
      pageInfo: {
        hasNextPage: page.cursor !== undefined,
        hasPreviousPage: after !== undefined && after !== null,
        startCursor: null,
        endCursor: page.cursor ?? null,
      },
    };
  } catch (error) {
    if (error instanceof RangeError) {
      throw badUserInput('"first" must be from 1 to 100, and "after" a cursor of this list');
    }
    throw error;
  }
}

export const resolvers = {
  DateTime: DateTimeScalar,
  JSON: JsonScalar,
  ConsentStatus: STATUS,
  DetailLevel: DETAIL,
  Outcome: OUTCOME,
  SuspensionKind: SUSPENSION_KIND,
  AccessedBy: ACCESSED_BY,
  ...auditEnums,
  Query: {
    myConsents: (_root: unknown, _args: unknown, { register, delegation }: ConsentContext) =>
      delegation === undefined ? null : register.listForSubject(delegation.subject),
    consent: async (_root: unknown, { id }: { id: string }, context: ConsentContext) =>
      (await findConsent(id, context)) ?? null,
    consents: (_root: unknown, args: ListArguments, context: ConsentContext) => listConsents(args, context),
    suspensions: (_root: unknown, _args: unknown, { suspensions }: ConsentContext) => suspensions.standing(),
    exportMyConsents,
    accessHistory,
    auditEvents,
  },
  Mutation: tellBusy({ ...mutations, narrowConsent, exportConsents }),
  Consent: {
    __resolveReference: async ({ id }: { id: string }, context: ConsentContext) =>
      (await findConsent(id, context)) ?? null,
    ...dates,
    levels,
  },
  ConsentRecord: { ...dates, levels },
  EndedConsent: { endedAt: dates.endedAt },
  Suspension: suspensionFields,
  NarrowedConsent: { until: dates.until, levels },
  Access: accessFields,
  AuditRecord: auditRecordFields,
};
