import { GraphQLError } from 'graphql';
import type { denialErrors } from '../errors.js';
import { describeRequirement } from '../decide/requirement.js';
import type { Requirement, Requires } from '../decide/requirement.js';

/** `extensions.code` of every denial, at the gateway and in the subgraphs. */
export const DENIAL_CODE = 'UNAUTHORIZED_FIELD_OR_TYPE' satisfies keyof typeof denialErrors;

/** The `extensions` of a denied path's error, see {@link denialError}. */
export interface DenialExtensions {
  readonly code: typeof DENIAL_CODE;
  readonly coordinate: string;
  readonly requires: Requires;
}

/**
 * The error of one denied path, for your own rules in code as well. It names the coordinate and the requirement: never what the
 * caller holds, and never a value.
 *
 * @param requires what a client could ask the person for, such as `{ scopes: [[['accounts:write']]] }`; or `{}`
 *
 * @example
 * ```ts
 * import { denialError, type ProtectedContext } from '@behalf/directives';
 *
 * export function closeAccount(_source: unknown, _args: unknown, { delegation }: ProtectedContext): boolean {
 *   if (delegation?.roles.includes('administrator') !== true) throw denialError('Mutation.closeAccount', {});
 *   return true;
 * }
 * ```
 */
export function denialError(
  coordinate: string,
  requires: Requires,
  path?: readonly (string | number)[],
): GraphQLError {
  const extensions: DenialExtensions = { code: DENIAL_CODE, coordinate, requires };
  // A denial is an answer, not a bug, so a page of them does not pay for stack traces.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return new GraphQLError('Unauthorized field or type', { extensions: { ...extensions }, path });
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

export function requirementDenial(coordinate: string, requirement: Requirement): GraphQLError {
  return denialError(coordinate, describeRequirement(requirement));
}
