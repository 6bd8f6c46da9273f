import { createHash } from 'node:crypto';
import { Kind } from 'graphql';
import { fragmentsOf, reachableFrom } from '../fragments.js';
import type { ClientOperation } from './types.js';

/**
 * The operation with only what it spreads, if its document has others. Nothing that belongs to another operation is decided,
 * planned or executed: its fragments can use variables that this operation does not define.
 */
export function chosenOperation(client: ClientOperation): ClientOperation {
  const { document, operation, queryHash } = client;
  const isChosenFromSeveral = document.definitions.some(
    (definition) => definition.kind === Kind.OPERATION_DEFINITION && definition !== operation,
  );
  if (!isChosenFromSeveral) return client;
  const all = fragmentsOf(document);
  const { fragments } = reachableFrom([operation], (name) => all.get(name));
  return {
    operation,
    document: { ...document, definitions: [operation, ...fragments.values()] },
    // Each operation of a document is planned by itself.
    queryHash: createHash('sha256')
      .update(`${queryHash} ${operation.name?.value ?? ''}`)
      .digest('hex'),
  };
}
