import { GraphQLError } from 'graphql';

/** The caller's input cannot be used. The message must not quote a value: it reaches the client and the log. */
export function badUserInput(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } });
}
