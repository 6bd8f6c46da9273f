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
 * The error of one denied path. It tells the coordinate and what would be required: never what the caller
 * holds, and never a value.
 */
export function denialError(
  coordinate: string,
  requires: Requires,
  path?: readonly (string | number)[],
): GraphQLError {
  const extensions: DenialExtensions = { code: DENIAL_CODE, coordinate, requires };
  // A denial is an answer and no mistake in the program: a page of them does not pay for a stack trace each.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return new GraphQLError('Unauthorized field or type', {
      extensions: { ...extensions },
      ...(path === undefined ? {} : { path }),
    });
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

export function requirementDenial(coordinate: string, requirement: Requirement): GraphQLError {
  return denialError(coordinate, describeRequirement(requirement));
}
