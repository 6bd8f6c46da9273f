import type {
  Consent,
  ConsentFilter,
  ConsentStatus,
  DetailLevel,
  Revocation,
  RevocationOptions,
} from '../../authority/consent/index.js';
import { badUserInput } from '../errors.js';
import { DateTimeScalar } from '../scalars.js';
import { isId, isUnstorable } from '../texts.js';
import { type ConsentContext, findConsent, isAdministrator } from './context.js';

const REASON_LENGTH_AT_MOST = 500;

interface ListArguments {
  readonly filter?: {
    readonly subject?: string | null;
    readonly clientId?: string | null;
    readonly status?: ConsentStatus | null;
  } | null;
  readonly first?: number | null;
  readonly after?: string | null;
}

/** The register's names of these values, by the schema's. */
const STATUS: Record<string, ConsentStatus> = {
  ACTIVE: 'active',
  REVOKED: 'revoked',
  EXPIRED: 'expired',
  REPLACED: 'replaced',
};
const DETAIL: Record<string, DetailLevel> = { FULL: 'full', MINIMAL: 'minimal' };

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

/** @throws GraphQLError `BAD_USER_INPUT` */
function optionsOf(context: ConsentContext, reason: string | null | undefined): RevocationOptions {
  const { delegation } = context;
  if (delegation === undefined) throw new TypeError('The rules let through a caller without a delegation');
  if ((reason?.length ?? 0) > REASON_LENGTH_AT_MOST) {
    throw badUserInput(`"reason" must have at most ${REASON_LENGTH_AT_MOST} characters`);
  }
  if (isUnstorable(reason ?? '')) throw badUserInput('"reason" must have no control characters');
  return {
    by: delegation.subject,
    initiator: isAdministrator(context) ? 'admin' : 'user',
    reason: reason ?? undefined,
  };
}

/** @throws GraphQLError `BAD_USER_INPUT` */
function needId(name: string, value: string): string {
  if (isId(value)) return value;
  throw badUserInput(`"${name}" is not an identifier`);
}

function mayNeedId(name: string, value: string | null | undefined): string | undefined {
  return value === undefined || value === null ? undefined : needId(name, value);
}

function answer<Kind extends Revocation>(revocation: Kind) {
  return { ...revocation, change: revocation.change?.seq ?? null };
}

export const resolvers = {
  DateTime: DateTimeScalar,
  ConsentStatus: STATUS,
  DetailLevel: DETAIL,
  Query: {
    myConsents: (_root: unknown, _args: unknown, { register, delegation }: ConsentContext) =>
      delegation === undefined ? null : register.listForSubject(delegation.subject),
    consent: async (_root: unknown, { id }: { id: string }, context: ConsentContext) =>
      (await findConsent(id, context)) ?? null,
    consents: (_root: unknown, args: ListArguments, context: ConsentContext) => listConsents(args, context),
  },
  Mutation: {
    revokeConsent: async (
      _root: unknown,
      { id, reason }: { id: string; reason?: string | null },
      context: ConsentContext,
    ) => answer(await context.register.revokeConsent(needId('id', id), optionsOf(context, reason))),
    revokeClient: async (
      _root: unknown,
      { clientId, reason }: { clientId: string; reason: string },
      context: ConsentContext,
    ) =>
      answer(await context.register.revokeClient(needId('clientId', clientId), optionsOf(context, reason))),
    revokeSubjectSessions: async (
      _root: unknown,
      { subject, reason }: { subject: string; reason: string },
      context: ConsentContext,
    ) =>
      answer(
        await context.register.revokeSubjectSessions(needId('subject', subject), optionsOf(context, reason)),
      ),
  },
  Consent: {
    __resolveReference: async ({ id }: { id: string }, context: ConsentContext) =>
      (await findConsent(id, context)) ?? null,
    ...dates,
  },
  ConsentRecord: dates,
  EndedConsent: { endedAt: dates.endedAt },
};
