import { visit } from 'graphql';
import type { DocumentNode, GraphQLSchema, SelectionNode, SelectionSetNode } from 'graphql';
import { coerced, isLeftOut } from '../oracle-selections.js';
import type { Variables } from '../oracle-selections.js';

/** Whether somewhere everything that is selected on an object is left out by `@skip` and `@include`. */
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

/** The same operation, written without what the variables leave out, and without conditions. */
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
