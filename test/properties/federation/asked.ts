import { isMet } from '@behalf/directives/internal';
import type { Delegation } from '@behalf/directives';
import { isAbstractType, isObjectType, Kind, parse, TypeInfo, visit, visitWithTypeInfo } from 'graphql';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import { coordinatesOf } from '../oracle-selections.js';
import { namesOf } from './data.js';
import type { GivenSelection, PlannedFetch } from './real-gateway.js';
import type { World } from './world.js';

/** The requests of one plan to the subgraphs, and their justification. */
export interface PlanFindings {
  /** Coordinates that the caller may not read, and that neither join an entity nor feed a field that they may read. */
  readonly unjustified: readonly string[];
  /** Denied coordinates that are fetched because a join needs them. */
  readonly joins: readonly string[];
  /** Coordinates given to a subgraph that are neither a key there nor an input of a requested field. */
  readonly overgiven: readonly string[];
  readonly entityFetches: number;
  readonly requiresFetches: number;
}

/**
 * Reads a plan. A denied coordinate may only be fetched on an entity that another fetch of the plan takes as input, and only if
 * it belongs to a `@key` of that entity (the planner fetches all fields of a compound key, even if it joins by one) or to the
 * `@requires` of a field in that fetch. Whether that field itself is permitted is checked at its own coordinate. For a field of
 * another subgraph the planner fetches the key even if conditions never let the field be read.
 */
export function readPlan(
  world: World,
  executed: DocumentNode,
  plan: readonly PlannedFetch[],
  caller: Delegation | undefined,
): PlanFindings {
  const selected = selectedOf(world, executed);
  const overgiven: string[] = [];
  /** `A.v.p`: paths of an entity that may be inputs of some fetch. */
  const given = new Set<string>();
  const joined = new Set<string>();
  let entityFetches = 0;
  let requiresFetches = 0;
  for (const fetch of plan) {
    if (fetch.given.length === 0) continue;
    entityFetches += 1;
    const onEntities = selectedOnEntities(world, fetch);
    let usesRequires = false;
    for (const [type, path] of pathsGiven(fetch.given)) {
      joined.add(type);
      if (path === '__typename' || path.endsWith('.__typename')) continue;
      const isKey = world.shape.keysOf(type, fetch.graph).some((key) => key.split(' ').includes(path));
      const isInput = inputsOf(world, type, onEntities).has(path);
      usesRequires ||= isInput;
      if (isKey || isInput) given.add(`${type}.${path}`);
      else overgiven.push(`${fetch.graph} ${type}.${path}`);
    }
    if (usesRequires) requiresFetches += 1;
  }

  const unjustified: string[] = [];
  const joins: string[] = [];
  for (const fetch of plan) {
    const schema = schemaOf(world, fetch.graph);
    for (const { type, name, below } of selectionsOf(schema, fetch.operation)) {
      if (name === '__typename' || name === '_entities') continue;
      if (isMet(world.rules.requirementOf(type, name), caller)) continue;
      const paths = [
        { on: type, path: name },
        ...below.map(({ on, path }) => ({ on, path: `${path}.${name}` })),
      ];
      const isKeyHere = (of: string): boolean =>
        (joined.has(of) || resolvesElsewhere(world, fetch.graph, of, selected)) &&
        world.shape.keysOf(of, fetch.graph).some((key) => key.split(' ').includes(name));
      const isNeeded =
        possibleTypes(schema, type).some(isKeyHere) ||
        paths.some(({ on, path }) => possibleTypes(schema, on).some((each) => given.has(`${each}.${path}`)));
      (isNeeded ? joins : unjustified).push(`${fetch.graph} ${type}.${name}`);
    }
  }
  return { unjustified, joins, overgiven, entityFetches, requiresFetches };
}

/** `A.x` for every selection, on each object type. */
function selectedOf({ merged }: World, executed: DocumentNode): ReadonlySet<string> {
  return new Set(
    [...coordinatesOf(merged, executed).values()].flatMap(([type, field]) =>
      possibleTypes(merged, type).map((each) => `${each}.${field}`),
    ),
  );
}

/** Whether an entity's selection needs more than one subgraph. */
function resolvesElsewhere(
  { shape }: World,
  graph: string,
  type: string,
  selected: ReadonlySet<string>,
): boolean {
  return [...(shape.types.get(type)?.values() ?? [])].some(
    (field) =>
      (field.graphs.get(graph) !== 'own' || field.requires !== undefined) &&
      selected.has(`${type}.${field.name}`),
  );
}

interface Selected {
  readonly type: string;
  readonly name: string;
  /** The paths to it: field names from each type above. */
  readonly below: readonly { readonly on: string; readonly path: string }[];
}

/**
 * Whether something is permanently excluded by `@include(if: false)` or `@skip(if: true)`. The planner then makes no fetch for
 * it, but still fetches that fetch's inputs.
 */
export function leavesOutForEver(document: DocumentNode): boolean {
  let found = false;
  visit(document, {
    Directive({ name, arguments: [condition] = [] }) {
      const value = condition?.value;
      found ||= value?.kind === Kind.BOOLEAN && value.value === (name.value === 'skip');
    },
  });
  return found;
}

/** Every selection of an operation, where it is written. */
export function selectionsOf(schema: GraphQLSchema, operation: string): Selected[] {
  const info = new TypeInfo(schema);
  const selected: Selected[] = [];
  const above: { on: string; name: string }[] = [];
  visit(
    parse(operation),
    visitWithTypeInfo(info, {
      [Kind.FIELD]: {
        enter(node) {
          const on = info.getParentType()?.name ?? '?';
          const below = above.map(({ on: from }, index) => ({
            on: from,
            path: above
              .slice(index)
              .map(({ name }) => name)
              .join('.'),
          }));
          selected.push({ type: on, name: node.name.value, below });
          above.push({ on, name: node.name.value });
        },
        leave: () => void above.pop(),
      },
    }),
  );
  return selected;
}

/** `A.x` of each selection directly on the entities of a fetch. */
function selectedOnEntities(world: World, fetch: PlannedFetch): ReadonlySet<string> {
  const schema = schemaOf(world, fetch.graph);
  return new Set(
    selectionsOf(schema, fetch.operation)
      .filter(({ below }) => below.length === 1 && below[0]?.path === '_entities')
      .flatMap(({ type, name }) => possibleTypes(schema, type).map((each) => `${each}.${name}`)),
  );
}

/** Paths that the `@requires` of a type's selected fields name, and their ancestors. */
function inputsOf(world: World, type: string, selected: ReadonlySet<string>): ReadonlySet<string> {
  const inputs = new Set<string>();
  for (const field of world.shape.types.get(type)?.values() ?? []) {
    if (field.requires === undefined || !selected.has(`${type}.${field.name}`)) continue;
    for (const [name, nested] of namesOf(field.requires)) {
      inputs.add(name);
      if (nested !== undefined) inputs.add(`${name}.${nested}`);
    }
  }
  return inputs;
}

/** Each input path of a fetch, with the entity's type. */
function pathsGiven(selections: readonly GivenSelection[]): [type: string, path: string][] {
  return selections.flatMap(({ typeCondition, selections: inner = [] }) =>
    pathsIn(inner).map((path): [string, string] => [typeCondition ?? '?', path]),
  );
}

function pathsIn(selections: readonly GivenSelection[]): string[] {
  return selections.flatMap(({ kind, name = '', selections: inner = [] }) => {
    if (kind !== 'Field') return pathsIn(inner);
    return [name, ...pathsIn(inner).map((path) => `${name}.${path}`)];
  });
}

function possibleTypes(schema: GraphQLSchema, name: string): readonly string[] {
  const type = schema.getType(name);
  if (isAbstractType(type)) return schema.getPossibleTypes(type).map((each) => each.name);
  return isObjectType(type) ? [name] : [];
}

function schemaOf(world: World, graph: string): GraphQLSchema {
  const part = world.parts.find(({ name }) => name === graph);
  if (part === undefined) throw new Error(`no subgraph ${graph}`);
  return part.schema;
}
