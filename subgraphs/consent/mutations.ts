import type {
  ChangePosition,
  InForce,
  RevocationOutcome,
  Suspension,
  SuspensionTarget,
} from '@behalf/authority/consent';
import type { ConsentContext } from './context.js';
import { needId, optionsOf, type StopTarget, stopOptionsOf, targetOf } from './input.js';

/** Well below the time that a gateway waits for a subgraph. */
export const MAX_WAIT_MS = 5_000;

export interface Waiting {
  readonly waitFor?: 'NONE' | 'ALL_GATEWAYS' | null;
}
export interface Reasoned extends Waiting {
  readonly reason: string;
}

/** Every change returns it. */
interface Changed {
  readonly outcome: RevocationOutcome;
  readonly change: ChangePosition | undefined;
}

/** Waits for the gateways if asked to. A repeated call waits as well, because its first one may not be in force everywhere yet. */
async function answer<Kind extends Changed>(changed: Kind, { waitFor }: Waiting, context: ConsentContext) {
  const { change, outcome } = changed;
  const isNothing = change === undefined && outcome === 'unknown';
  const inForce: InForce | null =
    waitFor !== 'ALL_GATEWAYS' || isNothing
      ? null
      : await context.acknowledgements.inForce(change, MAX_WAIT_MS);
  return { ...changed, change: change?.seq ?? null, inForce };
}

async function suspend(target: SuspensionTarget, args: Reasoned, context: ConsentContext) {
  const change = await context.suspensions.suspend(target, stopOptionsOf(context, args.reason));
  return answer(change, args, context);
}

async function resume(target: SuspensionTarget, args: Reasoned, context: ConsentContext) {
  const change = await context.suspensions.resume(target, stopOptionsOf(context, args.reason));
  return answer(change, args, context);
}

const clientOf = ({ clientId }: { readonly clientId: string }): SuspensionTarget => ({
  kind: 'client',
  clientId: needId('clientId', clientId),
});

/** The schema's directives and permissions.ts decide who may call them. */
export const mutations = {
  revokeConsent: async (
    _root: unknown,
    args: Waiting & { readonly id: string; readonly reason?: string | null },
    context: ConsentContext,
  ) => {
    const { id, reason } = args;
    const revocation = await context.register.revokeConsent(needId('id', id), optionsOf(context, reason));
    return answer(revocation, args, context);
  },
  revokeToken: async (_root: unknown, args: Reasoned & { readonly id: string }, context: ConsentContext) => {
    const options = optionsOf(context, args.reason);
    return answer(await context.register.revokeToken(needId('id', args.id), options), args, context);
  },
  revokeClient: async (
    _root: unknown,
    args: Reasoned & { readonly clientId: string },
    context: ConsentContext,
  ) => {
    const options = optionsOf(context, args.reason);
    const clientId = needId('clientId', args.clientId);
    return answer(await context.register.revokeClient(clientId, options), args, context);
  },
  revokeSubjectSessions: async (
    _root: unknown,
    args: Reasoned & { readonly subject: string },
    context: ConsentContext,
  ) => {
    const options = optionsOf(context, args.reason);
    const subject = needId('subject', args.subject);
    return answer(await context.register.revokeSubjectSessions(subject, options), args, context);
  },
  revokeSession: async (
    _root: unknown,
    args: Reasoned & { readonly id: string },
    context: ConsentContext,
  ) => {
    const options = optionsOf(context, args.reason);
    return answer(await context.register.revokeSession(needId('id', args.id), options), args, context);
  },
  suspendClient: (_root: unknown, args: Reasoned & { readonly clientId: string }, context: ConsentContext) =>
    suspend(clientOf(args), args, context),
  resumeClient: (_root: unknown, args: Reasoned & { readonly clientId: string }, context: ConsentContext) =>
    resume(clientOf(args), args, context),
  emergencyStop: (
    _root: unknown,
    args: Reasoned & { readonly target: StopTarget },
    context: ConsentContext,
  ) => suspend(targetOf(args.target), args, context),
  liftEmergencyStop: (
    _root: unknown,
    args: Reasoned & { readonly target: StopTarget },
    context: ConsentContext,
  ) => resume(targetOf(args.target), args, context),
};

/** Resolvers of `Suspension`. */
export const suspensionFields = {
  kind: ({ target }: Suspension) => target.kind,
  clientId: ({ target }: Suspension) => (target.kind === 'client' ? target.clientId : null),
  scope: ({ target }: Suspension) => (target.kind === 'scope' ? target.scope : null),
  since: ({ since }: Suspension) => since.toISOString(),
  endedAt: ({ endedAt }: Suspension) => endedAt?.toISOString() ?? null,
};
