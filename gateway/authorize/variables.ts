import { getVariableValues, GraphQLError } from 'graphql';
import type { GraphQLSchema, OperationDefinitionNode } from 'graphql';
import { withoutStack } from '../client-error.js';
import { clientMessage } from '../error-text.js';

const MAX_ERRORS = 50;

export interface VariableCheck {
  /** The API schema. */
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly variables: Readonly<Record<string, unknown>>;
  /** Whether errors may suggest names of the schema. */
  readonly suggests: boolean;
}

/**
 * GraphQL section 6.1.2: an operation with a variable that is no value of its type is not executed. It is checked on the
 * client's own operation: one that only denied selections use is not in what is executed. The errors are about what the
 * client sent, so it is given them, but for suggestions.
 */
export function variableErrors({
  schema,
  operation,
  variables,
  suggests,
}: VariableCheck): readonly GraphQLError[] {
  const definitions = operation.variableDefinitions ?? [];
  if (definitions.length === 0) return [];
  const { errors = [] } = getVariableValues(schema, definitions, variables, { maxErrors: MAX_ERRORS });
  // Made anew: an error keeps the one that it came of, and that one's stack has the suggestion too.
  return errors.map(({ message, nodes }) =>
    withoutStack(new GraphQLError(clientMessage(message, suggests), { nodes: nodes ?? [] })),
  );
}
