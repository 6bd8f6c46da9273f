import { denialError } from '@behalf/directives';
import { DENIAL_CODE } from '@behalf/directives/internal';
import type { Requires } from '@behalf/directives';
import type { GraphQLError } from 'graphql';
import { strictest } from '@behalf/policy/internal';
import { DEFAULT_MAX_ERRORS } from './authorize/index.js';
import { stepUpFor, withStepUp } from './authorize/step-up.js';
import { ErrorList, withoutStack } from './client-error.js';
import type { ExecutionOutcome } from './authorize/index.js';
import type { Exchange } from './exchange.js';
import { bearerChallenge, insufficientScope, insufficientUserAuthentication } from './http/challenge.js';
import type { AuthorizationMode, Protection } from './protection.js';

/**
 * The operation is refused as a whole, with every denied coordinate: a request error, which has no data. 403 with a token and 401
 * without one where the status tells the outcome; the conventional 200 elsewhere (GraphQL over HTTP section 6.4).
 */
export class RejectedError extends Error {
  readonly errors: readonly GraphQLError[];

  constructor(
    exchange: Exchange,
    tellsOutcome: boolean,
    { mode, options }: Pick<Protection, 'mode' | 'options'>,
  ) {
    super('rejected');
    const denials = (exchange.authorization?.denials ?? []).map(({ coordinate, requires }) => ({
      coordinate,
      requires: withStepUpOf(exchange, requires),
    }));
    const http = tellsOutcome
      ? refusalHttp(
          exchange,
          denials.map(({ requires }) => requires),
          mode,
        )
      : { status: 200, headers: new Map<string, string>() };
    const errors = new ErrorList(options.authorization?.maxErrors ?? DEFAULT_MAX_ERRORS);
    for (const { coordinate, requires } of denials)
      errors.add(() => withoutStack(denialError(coordinate, requires)));
    this.errors = errors.toArray();
    for (const error of this.errors) error.extensions.http = http;
  }
}

/** RFC 6750 section 3.1; RFC 9470 section 3 where the person only has to sign in again. */
function refusalHttp(
  { delegation }: Exchange,
  requires: readonly Requires[],
  mode: AuthorizationMode,
): { readonly status: 401 | 403; readonly headers: ReadonlyMap<string, string> } {
  const refuse = (status: 401 | 403, challenge: string) => ({
    status,
    headers: new Map([['www-authenticate', challenge]]),
  });
  if (delegation === undefined) return refuse(401, bearerChallenge());
  const stepUps = requires.flatMap(({ stepUp }) => stepUp ?? []);
  // As a whole the operation is permitted only when all of it is.
  const helps = mode === 'reject' ? stepUps.length === requires.length : stepUps.length > 0;
  return helps
    ? refuse(401, insufficientUserAuthentication(strictest(stepUps)))
    : refuse(403, insufficientScope(requires));
}

function withStepUpOf({ delegation, token }: Exchange, requires: Requires): Requires {
  if (delegation === undefined || token?.withheld === undefined) return requires;
  const stepUp = stepUpFor(requires, delegation, token.withheld);
  return stepUp === undefined ? requires : withStepUp(requires, stepUp);
}

/**
 * Adds to the denials of an answer how the person would have to sign in, where that would end them. Decisions are shared by
 * callers, and this is each caller's own.
 */
export function tellStepUps(exchange: Exchange, outcome: ExecutionOutcome): ExecutionOutcome {
  const { authorization, token } = exchange;
  if (authorization === undefined || outcome.errors === undefined || (token?.withheld?.size ?? 0) === 0) {
    return outcome;
  }
  const requiresOf = new Map(authorization.denials.map(({ coordinate, requires }) => [coordinate, requires]));
  for (const { extensions } of outcome.errors) {
    const requires =
      extensions.code === DENIAL_CODE ? requiresOf.get(String(extensions.coordinate)) : undefined;
    if (requires !== undefined) extensions.requires = withStepUpOf(exchange, requires);
  }
  return outcome;
}
