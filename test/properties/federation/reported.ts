import {
  isAbstractType,
  isCompositeType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  parse,
} from 'graphql';
import type {
  ExecutionResult,
  GraphQLObjectType,
  GraphQLOutputType,
  GraphQLSchema,
  SelectionSetNode,
} from 'graphql';
import { answer } from './real-gateway.js';
import type { Answering, Asked } from './real-gateway.js';
import type { RunContext } from './data.js';
import type { World } from './world.js';

/** The subject of a subgraph error, in its message and extensions. */
export interface Marker {
  readonly type: string;
  readonly field: string;
  readonly isOfRoot: boolean;
}

const MARKER = /«(\w+)\.(\w+) (root|entity)»/g;

export function markersIn(text: string): Marker[] {
  return [...text.matchAll(MARKER)].map(([, type = '', field = '', fetch]) => ({
    type,
    field,
    isOfRoot: fetch === 'root',
  }));
}

type Path = readonly (string | number)[];

interface Leading {
  readonly path: Path;
  readonly type: string;
  readonly field: string;
  readonly isOfRoot: boolean;
}

/**
 * The subgraphs without their rules, which report errors for some of their fields: each quotes its field, like a server that
 * cannot serialize a value.
 *
 * @param reports Whether there is an error at the next place.
 */
export function reporting(world: World, reports: () => boolean): (context: RunContext) => Answering {
  return (context) => async (asked) => {
    const part = world.parts.find(({ name }) => name === asked.graph);
    if (part === undefined) throw new Error(`no subgraph ${asked.graph}`);
    const result = await answer(part.schema, asked, world.data.root, context);
    const codes = ['BAD_USER_INPUT', 'LOCKED', undefined];
    const errors = placesOf(part.schema, asked, result)
      .filter(reports)
      .map(({ path, type, field, isOfRoot }, index) => {
        const words = `«${type}.${field} ${isOfRoot ? 'root' : 'entity'}»`;
        return {
          message: words,
          path,
          extensions: { code: codes[index % codes.length], words, stacktrace: [words] },
        };
      });
    return { ...result, errors } as unknown as ExecutionResult;
  };
}

/** Every field of an answer. */
function placesOf(schema: GraphQLSchema, { query }: Asked, { data }: ExecutionResult): Leading[] {
  const found: Leading[] = [];
  const document = parse(query);
  const [operation] = document.definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('a fetch begins with its operation');
  // A client can alias a root field like this, and otherwise only the planner does.
  const isOfRoot = !operation.selectionSet.selections.some(
    (selection) => selection.kind === Kind.FIELD && selection.name.value === '_entities',
  );
  const root = schema.getRootType(operation.operation);
  if (root !== undefined && root !== null) object(data, root, [operation.selectionSet], []);
  return found;

  function object(
    value: unknown,
    type: GraphQLObjectType,
    sets: readonly SelectionSetNode[],
    path: Path,
  ): void {
    if (typeof value !== 'object' || value === null) return;
    for (const set of sets) {
      for (const selection of set.selections) {
        if (selection.kind === Kind.FRAGMENT_SPREAD)
          throw new Error('the planner writes no named fragments here');
        if (selection.kind === Kind.INLINE_FRAGMENT) {
          const condition = schema.getType(selection.typeCondition?.name.value ?? type.name);
          const applies =
            condition === type || (isAbstractType(condition) && schema.isSubType(condition, type));
          if (applies) object(value, type, [selection.selectionSet], path);
          continue;
        }
        const name = selection.name.value;
        const key = selection.alias?.value ?? name;
        const field = type.getFields()[name];
        if (field === undefined || !Object.hasOwn(value, key)) continue;
        const here = [...path, key];
        if (name !== '_entities') found.push({ path: here, type: type.name, field: name, isOfRoot });
        each((value as Record<string, unknown>)[key], field.type, selection.selectionSet, here);
      }
    }
  }

  function each(
    value: unknown,
    type: GraphQLOutputType,
    set: SelectionSetNode | undefined,
    path: Path,
  ): void {
    if (isNonNullType(type)) each(value, type.ofType, set, path);
    else if (isListType(type)) {
      if (Array.isArray(value))
        value.forEach((entry, index) => each(entry, type.ofType, set, [...path, index]));
    } else if (set !== undefined && isCompositeType(type)) {
      const named = (value as { __typename?: unknown } | null)?.__typename;
      const known = isObjectType(type) ? type : typeof named === 'string' ? schema.getType(named) : undefined;
      if (isObjectType(known)) object(value, known, [set], path);
    }
  }
}
