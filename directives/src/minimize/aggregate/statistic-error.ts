import { GraphQLError } from 'graphql';
import type { statisticErrors } from '../../errors.js';

const MESSAGES: Readonly<Record<keyof typeof statisticErrors, string>> = {
  STATISTIC_ROW_FAILED: 'A row of the statistic failed',
  STATISTIC_TOO_LARGE: 'The statistic has too many groups or subjects',
};

/** The error of a field that returns a statistic. It says nothing about a row; `reason` is for the subgraph's own log. */
export function statisticError(
  code: keyof typeof statisticErrors,
  coordinate: string,
  reason?: unknown,
): GraphQLError {
  return new GraphQLError(MESSAGES[code], {
    extensions: { code, coordinate },
    originalError: reason instanceof Error ? reason : undefined,
  });
}
