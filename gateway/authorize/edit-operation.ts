import { Kind } from 'graphql';
import type { DocumentNode } from 'graphql';
import type { ClientOperation } from './types.js';

/** The operation in an edited document, under the same hash. @param edit keeps the definitions and their order */
export function editOperation(
  client: ClientOperation,
  edit: (document: DocumentNode) => DocumentNode,
): ClientOperation {
  const document = edit(client.document);
  const definition = document.definitions[client.document.definitions.indexOf(client.operation)];
  const operation = definition?.kind === Kind.OPERATION_DEFINITION ? definition : client.operation;
  return { ...client, document, operation };
}
