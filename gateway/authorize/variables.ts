import { getVariableValues, GraphQLError } from 'graphql';
import type { GraphQLSchema } from 'graphql';
import { withoutStack } from '../client-error.js';
import { clientMessage } from '../error-text.js';
import type { GatewayErrorCode } from '../errors.js';
import { nullArgumentErrors } from './null-arguments.js';
import type { ClientOperation } from './types.js';

const MAX_ERRORS = 50;

export interface VariableCheck {
  /** The API schema. */
  readonly schema: GraphQLSchema;
  readonly client: Pick<ClientOperation, 'document' | 'operation'>;
  readonly variables: Readonly<Record<string, unknown>>;
  /** Whether errors may suggest names of the schema. */
  readonly suggests: boolean;
}

/**
 * An operation whose variables cannot be used is refused as a whole: one is no value of its type (GraphQL section 6.1.2), or is null
 * where null may not stand (section 6.4.1).
 */
export class InvalidVariablesError extends Error {
  override readonly name = 'InvalidVariablesError';

  constructor(readonly errors: readonly GraphQLError[]) {
    super('variables cannot be used');
  }
}

/**
 * Checks the variables on the client's own operation: one that only denied selections use is not in what is executed. The errors are
 * about what the client sent, so it is given them, but for suggestions.
 *
 * @throws {InvalidVariablesError}
 */
export function requireVariables(check: VariableCheck): void {
  const errors = errorsOf(check);
  if (errors.length === 0) return;
  throw new InvalidVariablesError(
    // Made anew: an error keeps the one that it came of, and that one's stack has the suggestion too.
    errors.map(({ message, nodes = [] }) =>
      withoutStack(
        new GraphQLError(clientMessage(message, check.suggests), {
          nodes,
          extensions: { code: 'BAD_USER_INPUT' satisfies GatewayErrorCode },
        }),
      ),
    ),
  );
}

function errorsOf({ schema, client, variables }: VariableCheck): readonly GraphQLError[] {
  const definitions = client.operation.variableDefinitions ?? [];
  if (definitions.length === 0) return [];
  const { errors } = getVariableValues(schema, definitions, variables, { maxErrors: MAX_ERRORS });
  return errors ?? nullArgumentErrors(client, schema, variables).slice(0, MAX_ERRORS);
}
