import { Kind, OperationTypeNode } from 'graphql';
import type { SelectionSetNode } from 'graphql';
import type { ClientOperation } from '../authorize/index.js';
import { fragmentsOf } from '../fragments.js';
import type { Recorder } from '../seal/recorder.js';
import type { Authorized } from '../stages/stages.js';

/**
 * Records, in audit mode `required`, what a mutation is about to do. A change that was made cannot be taken back when its record
 * turns out not to be durable.
 *
 * @throws {RefusedError} 503 `AUDIT_UNAVAILABLE`: nothing was executed
 */
export async function intend(authorized: Authorized, recorder: Recorder): Promise<Authorized> {
  const { asked, authorization, isShadow } = authorized;
  const operation = isShadow ? asked : authorization.execute;
  if (operation?.operation.operation !== OperationTypeNode.MUTATION) return authorized;
  await recorder.intend(authorized, rootCoordinates(operation));
  return authorized;
}

/** The root fields that will be executed, each once. */
function rootCoordinates({ document, operation }: ClientOperation): readonly string[] {
  const names = new Set<string>();
  const fragments = new Map(fragmentsOf(document));
  const read = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) names.add(selection.name.value);
      else if (selection.kind === Kind.INLINE_FRAGMENT) read(selection.selectionSet);
      else readFragment(selection.name.value);
    }
  };
  const readFragment = (name: string): void => {
    const fragment = fragments.get(name);
    // Once, however often it is spread.
    fragments.delete(name);
    if (fragment !== undefined) read(fragment.selectionSet);
  };
  read(operation.selectionSet);
  names.delete('__typename');
  return [...names].map((name) => `Mutation.${name}`);
}
