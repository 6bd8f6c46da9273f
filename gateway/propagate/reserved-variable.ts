import { visit } from 'graphql';
import type { OperationDefinitionNode } from 'graphql';
import { editOperation } from '../authorize/index.js';
import type { ClientOperation } from '../authorize/index.js';

/** Under this name @apollo/gateway sends the keys of entities. It fails if the client's operation has a variable of that name. */
const RESERVED = 'representations';

/** What is executed. */
export interface Executable {
  readonly operation: ClientOperation;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** Gives a variable with the planner's name another one. Subgraphs do not notice: their operations name no variable of a client. */
export function withoutReservedVariable({ operation: client, variables }: Executable): Executable {
  const names = namesOf(client.operation);
  if (!names.has(RESERVED)) return { operation: client, variables };
  let name = `${RESERVED}_`;
  while (names.has(name)) name += '_';
  // The same text always becomes the same document, so it can keep its hash.
  const operation = editOperation(client, (document) =>
    visit(document, {
      Variable: (node) =>
        node.name.value === RESERVED ? { ...node, name: { ...node.name, value: name } } : undefined,
    }),
  );
  const { [RESERVED]: value, ...others } = variables;
  return { operation, variables: value === undefined ? others : { ...others, [name]: value } };
}

function namesOf({ variableDefinitions = [] }: OperationDefinitionNode): ReadonlySet<string> {
  return new Set(variableDefinitions.map(({ variable }) => variable.name.value));
}
