import { GraphQLError } from 'graphql';
import type { denialErrors } from '../errors.js';
import { describeRequirement } from '../decide/requirement.js';
import type { Requirement, Requires } from '../decide/requirement.js';

/** `extensions.code` of every denial, at the gateway and in the subgraphs. */
export const DENIAL_CODE = 'UNAUTHORIZED_FIELD_OR_TYPE' satisfies keyof typeof denialErrors;

export interface DenialExtensions {
  readonly code: typeof DENIAL_CODE;
  readonly coordinate: string;
  readonly requires: Requires;
}

/**
 * The error of one denied path, as Behalf makes it; for rules of your own that are code. It tells the coordinate and what would
 * be required: never what the caller holds, and never a value.
 *
 * @param requires What a client could ask the person for, such as `{ scopes: [[['accounts:write']]] }`; or `{}`.
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
  // A denial is an answer, not a mistake in the program: a page of them does not pay for a stack trace each.
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
