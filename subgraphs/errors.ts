import { GraphQLError } from 'graphql';

/** What the caller sent cannot be used. The message names no value. */
export function badUserInput(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } });
}
