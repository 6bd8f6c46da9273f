import { createHash } from 'node:crypto';
import { Kind, print, visit } from 'graphql';
import type {
  DocumentNode,
  FieldNode,
  FragmentDefinitionNode,
  OperationDefinitionNode,
  SelectionNode,
  SelectionSetNode,
} from 'graphql';
import { editOperation } from '../authorize/index.js';
import type { ClientOperation } from '../authorize/index.js';
import { fragmentsOf, reachableFrom } from '../fragments.js';
import { asksForSchema } from './rule.js';

/** An operation in two parts: introspection and data. */
export interface SplitSchemaIntrospection {
  readonly introspection: DocumentNode;
  /** Absent for pure introspection. It has its own hash, as query plans are cached by hash. */
  readonly data: ClientOperation | undefined;
  /** Root response keys, in the order of the client's document. */
  readonly keys: readonly string[];
  /** Introspects also below the root, on a field that returns the query type. */
  readonly isNested: boolean;
}

const splits = new WeakMap<OperationDefinitionNode, SplitSchemaIntrospection>();

/** Splits an operation at its root; undefined if it does not introspect. The document must be valid. */
export function splitSchemaIntrospection(client: ClientOperation): SplitSchemaIntrospection | undefined {
  if (!asksForSchema(client.document)) return undefined;
  let split = splits.get(client.operation);
  if (split === undefined) {
    split = takeApart(client);
    splits.set(client.operation, split);
  }
  return split;
}

function takeApart(client: ClientOperation): SplitSchemaIntrospection {
  const introspection = part(withoutOwnDirectives(client), isIntrospection);
  const data = part(client, (field) => !isIntrospection(field));
  return {
    // An operation that introspects only below its root has no such part.
    introspection: introspection ?? { kind: Kind.DOCUMENT, definitions: [] },
    data: data === undefined ? undefined : clientOperation(data),
    keys: rootKeys(client),
    isNested: data !== undefined && asksForSchema(data),
  };
}

/** Directives of the schema mean nothing to introspection, and their arguments can be of types that the caller does not see. */
function withoutOwnDirectives(client: ClientOperation): ClientOperation {
  return editOperation(client, (document) =>
    visit(document, {
      Directive: ({ name }) => (name.value === 'skip' || name.value === 'include' ? undefined : null),
    }),
  );
}

function isIntrospection(field: FieldNode): boolean {
  return field.name.value === '__schema' || field.name.value === '__type';
}

/** The operation with these root fields only, and the fragments and variables that they use; undefined without any. */
function part(client: ClientOperation, keeps: (field: FieldNode) => boolean): DocumentNode | undefined {
  const fragments = fragmentsOf(client.document);
  const atRoot = new Map<string, FragmentDefinitionNode | undefined>();

  const filter = (set: SelectionSetNode): SelectionSetNode => ({
    ...set,
    selections: set.selections.flatMap((selection): SelectionNode[] => {
      switch (selection.kind) {
        case Kind.FIELD:
          return keeps(selection) ? [selection] : [];
        case Kind.INLINE_FRAGMENT: {
          const selectionSet = filter(selection.selectionSet);
          return selectionSet.selections.length === 0 ? [] : [{ ...selection, selectionSet }];
        }
        case Kind.FRAGMENT_SPREAD:
          return fragmentAtRoot(selection.name.value) === undefined ? [] : [selection];
      }
    }),
  });
  const fragmentAtRoot = (name: string): FragmentDefinitionNode | undefined => {
    if (!atRoot.has(name)) {
      const fragment = fragments.get(name);
      const selectionSet = fragment === undefined ? undefined : filter(fragment.selectionSet);
      const isKept =
        fragment !== undefined && selectionSet !== undefined && selectionSet.selections.length > 0;
      atRoot.set(name, isKept ? { ...fragment, selectionSet } : undefined);
    }
    return atRoot.get(name);
  };

  const selectionSet = filter(client.operation.selectionSet);
  if (selectionSet.selections.length === 0) return undefined;
  const { fragments: used, variables } = reachableFrom(
    [selectionSet, ...(client.operation.directives ?? [])],
    (name) => atRoot.get(name) ?? fragments.get(name),
  );
  const operation: OperationDefinitionNode = {
    ...client.operation,
    selectionSet,
    variableDefinitions: (client.operation.variableDefinitions ?? []).filter(({ variable }) =>
      variables.has(variable.name.value),
    ),
  };
  return { kind: Kind.DOCUMENT, definitions: [operation, ...used.values()] };
}

function clientOperation(document: DocumentNode): ClientOperation {
  const operation = document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
  if (operation === undefined) throw new Error('a part of an operation has an operation');
  return { document, operation, queryHash: createHash('sha256').update(print(document)).digest('hex') };
}

function rootKeys({ document, operation }: ClientOperation): readonly string[] {
  const fragments = fragmentsOf(document);
  const keys = new Set<string>();
  const visited = new Set<string>();
  const collect = (set: SelectionSetNode): void => {
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) keys.add((selection.alias ?? selection.name).value);
      else if (selection.kind === Kind.INLINE_FRAGMENT) collect(selection.selectionSet);
      else if (!visited.has(selection.name.value)) {
        visited.add(selection.name.value);
        const fragment = fragments.get(selection.name.value);
        if (fragment !== undefined) collect(fragment.selectionSet);
      }
    }
  };
  collect(operation.selectionSet);
  return [...keys];
}
