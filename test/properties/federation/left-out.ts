import { visit } from 'graphql';
import type { DocumentNode, GraphQLSchema, SelectionNode, SelectionSetNode } from 'graphql';
import { coerced, isLeftOut } from '../oracle-selections.js';
import type { Variables } from '../oracle-selections.js';

/** Whether `@skip` and `@include` exclude every selection of some object. */
export function hasEmptySet(schema: GraphQLSchema, document: DocumentNode, variables: Variables): boolean {
  const values = coerced(schema, document, variables);
  let found = false;
  visit(document, {
    SelectionSet(set) {
      if (set.selections.every((selection) => isLeftOut(selection, values))) found = true;
    },
  });
  return found;
}

/** The same operation, written without conditions and excluded selections. */
export function withoutLeftOut(
  schema: GraphQLSchema,
  document: DocumentNode,
  variables: Variables,
): DocumentNode {
  const values = coerced(schema, document, variables);
  return visit(document, {
    SelectionSet: {
      leave(set): SelectionSetNode {
        return {
          ...set,
          selections: set.selections.filter((selection) => !isLeftOut(selection, values)).map(unconditional),
        };
      },
    },
  });
}

function unconditional(selection: SelectionNode): SelectionNode {
  return { ...selection, directives: [] };
}
