import { DENIAL_CODE } from '@behalf/directives/internal';
import { denialError } from '@behalf/directives';
import type { Requires } from '@behalf/directives';
import type { GatewayGraphQLRequestContext } from '@apollo/server-gateway-interface';
import type { GraphQLError } from 'graphql';
import { strictest } from '@behalf/policy/internal';
import type { ExecutionOutcome } from '../authorize/index.js';
import { stepUpFor, withStepUp } from '../authorize/step-up.js';
import { ErrorList, withoutStack } from '../client-error.js';
import { bearerChallenge, insufficientScope, insufficientUserAuthentication } from '../http/challenge.js';
import { statusTellsOutcome } from '../http/media-type.js';
import type { AuthorizationMode } from '../options/protection-options.js';
import type { AuthorizationRules } from './authorize.js';
import type { Authorized } from '../stages/stages.js';

/**
 * Refuses an operation as a whole for its denials: in mode `reject` for any of them, and in mode `filter` if nothing is left
 * and the client reads the outcome from the status.
 *
 * @throws {RejectedError}
 */
export function reject(
  authorized: Authorized,
  request: GatewayGraphQLRequestContext,
  { mode, maxErrors }: AuthorizationRules,
): Authorized {
  const { authorization, exchange, schemaIntrospection } = authorized;
  if (authorization.denials.length === 0 || mode === 'shadow') return authorized;
  const tellsOutcome =
    exchange.incoming.isBatch !== true &&
    statusTellsOutcome(request.request.http?.headers.get('accept') ?? undefined);
  const isNothingLeft = authorization.execute === undefined && schemaIntrospection === undefined;
  // A client that reads the status learns that nothing was granted; for others a response of nulls is data.
  if (mode === 'reject' || (isNothingLeft && tellsOutcome))
    throw new RejectedError(authorized, { tellsOutcome, mode, maxErrors });
  return authorized;
}

interface Rejection {
  readonly tellsOutcome: boolean;
  readonly mode: AuthorizationMode;
  readonly maxErrors: number;
}

/**
 * The operation is refused as a whole, with every denied coordinate: a request error, which has no data. 403 with a token and
 * 401 without one if the status reflects the outcome; otherwise the conventional 200 (GraphQL over HTTP section 6.4).
 */
export class RejectedError extends Error {
  readonly errors: readonly GraphQLError[];

  constructor(authorized: Authorized, { tellsOutcome, mode, maxErrors }: Rejection) {
    super('rejected');
    const denials = authorized.authorization.denials.map(({ toldAs, requires }) => ({
      coordinate: toldAs,
      requires: withStepUpOf(authorized, requires),
    }));
    const requires = denials.map((denial) => denial.requires);
    const http = tellsOutcome
      ? refusalHttp(authorized, requires, mode)
      : { status: 200, headers: new Map<string, string>() };
    const errors = new ErrorList(maxErrors);
    for (const denial of denials)
      errors.add(() => withoutStack(denialError(denial.coordinate, denial.requires)));
    this.errors = errors.toArray();
    for (const error of this.errors) error.extensions.http = http;
  }
}

/** RFC 6750 section 3.1; RFC 9470 section 3 if the person only has to sign in again. */
function refusalHttp(
  { delegation }: Authorized,
  requires: readonly Requires[],
  mode: AuthorizationMode,
): { readonly status: 401 | 403; readonly headers: ReadonlyMap<string, string> } {
  const refuse = (status: 401 | 403, challenge: string) => ({
    status,
    headers: new Map([['www-authenticate', challenge]]),
  });
  if (delegation === undefined) return refuse(401, bearerChallenge());
  const stepUps = requires.flatMap(({ stepUp }) => stepUp ?? []);
  // The whole operation is permitted only if all of it is.
  const helps = mode === 'reject' ? stepUps.length === requires.length : stepUps.length > 0;
  return helps
    ? refuse(401, insufficientUserAuthentication(strictest(stepUps)))
    : refuse(403, insufficientScope(requires));
}

function withStepUpOf({ delegation, token }: Authorized, requires: Requires): Requires {
  if (delegation === undefined || token?.withheld === undefined) return requires;
  const stepUp = stepUpFor(requires, delegation, token.withheld);
  return stepUp === undefined ? requires : withStepUp(requires, stepUp);
}

/**
 * Adds to a response's denials the sign-in that would end them. Callers share decisions, but this depends on the single caller.
 */
export function tellStepUps(authorized: Authorized, outcome: ExecutionOutcome): ExecutionOutcome {
  const { authorization, token } = authorized;
  if (outcome.errors === undefined || (token?.withheld?.size ?? 0) === 0) return outcome;
  const { denials } = authorization;
  const byCoordinate = new Map(denials.map(({ toldAs, requires }) => [toldAs, requires]));
  // One argument can be denied for several fields that parts of it filter by.
  const known = new Set<unknown>(denials.map(({ requires }) => requires));
  for (const { extensions } of outcome.errors) {
    if (extensions.code !== DENIAL_CODE) continue;
    const requires = known.has(extensions.requires)
      ? (extensions.requires as Requires)
      : byCoordinate.get(String(extensions.coordinate));
    if (requires !== undefined) extensions.requires = withStepUpOf(authorized, requires);
  }
  return outcome;
}
