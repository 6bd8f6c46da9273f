import { Kind } from 'graphql';
import type { DocumentNode } from 'graphql';
import { RefusedError } from './errors.js';
import { bearerChallenge } from './http/challenge.js';

/** Who may ask for the schema. */
export type IntrospectionRule = 'off' | 'authenticated' | 'all';

const asking = new WeakMap<DocumentNode, boolean>();

/**
 * Refuses an operation that asks for the schema, where the rule says so. `__typename` is no introspection.
 *
 * @throws {RefusedError} 403 or 401 `INTROSPECTION_DISABLED`.
 */
export function refuseIntrospection(
  document: DocumentNode,
  rule: IntrospectionRule,
  isAuthenticated: boolean,
): void {
  if (rule === 'all' || (rule === 'authenticated' && isAuthenticated)) return;
  if (!asksForSchema(document)) return;
  throw new RefusedError({
    code: 'INTROSPECTION_DISABLED',
    message: 'Introspection is not available to this caller',
    status: rule === 'off' || isAuthenticated ? 403 : 401,
    headers: isAuthenticated ? new Map() : new Map([['www-authenticate', bearerChallenge()]]),
  });
}

/** `__schema` and `__type` stand on the query root only, at the top of an operation or of a fragment. */
function asksForSchema(document: DocumentNode): boolean {
  let asks = asking.get(document);
  if (asks === undefined) {
    asks = document.definitions.some(
      (definition) =>
        (definition.kind === Kind.OPERATION_DEFINITION || definition.kind === Kind.FRAGMENT_DEFINITION) &&
        holdsIntrospection(definition.selectionSet.selections),
    );
    asking.set(document, asks);
  }
  return asks;
}

type Selections = Extract<
  DocumentNode['definitions'][number],
  { selectionSet: unknown }
>['selectionSet']['selections'];

function holdsIntrospection(selections: Selections): boolean {
  return selections.some((selection) => {
    if (selection.kind === Kind.FIELD) {
      return selection.name.value === '__schema' || selection.name.value === '__type';
    }
    return selection.kind === Kind.INLINE_FRAGMENT && holdsIntrospection(selection.selectionSet.selections);
  });
}
