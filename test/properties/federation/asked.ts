import { isMet } from '@behalf/directives/internal';
import type { Delegation } from '@behalf/directives';
import { isAbstractType, isObjectType, Kind, parse, TypeInfo, visit, visitWithTypeInfo } from 'graphql';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import { coordinatesOf } from '../oracle-selections.js';
import { namesOf } from './data.js';
import type { GivenSelection, PlannedFetch } from './real-gateway.js';
import type { World } from './world.js';

/** What one plan asks of the subgraphs, and by what right. */
export interface PlanFindings {
  /** Coordinates that the caller may not read, and that join no entity and are no input of a field which he may read. */
  readonly unjustified: readonly string[];
  /** Denied coordinates that are asked for because a join needs them. */
  readonly joins: readonly string[];
  /** What is given to a subgraph without being a key there, or an input of a field that it is asked for. */
  readonly overgiven: readonly string[];
  readonly entityFetches: number;
  readonly requiresFetches: number;
}

/**
 * Reads a plan. A denied coordinate may be asked for only on an entity that another fetch of the same plan is given, where it is
 * of a `@key` of that entity there or here (of a key of several fields the planner asks for all, also where it joins by one), or
 * of the `@requires` of a field that this fetch selects; that such a field is permitted itself is seen when its own coordinate is
 * read. For a field that another subgraph resolves the planner asks for the key also where the conditions never let it be read.
 */
export function readPlan(
  world: World,
  executed: DocumentNode,
  plan: readonly PlannedFetch[],
  caller: Delegation | undefined,
): PlanFindings {
  const selected = selectedOf(world, executed);
  const overgiven: string[] = [];
  /** `A.v.p`: paths that some fetch is given of an entity, as it may be. */
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

/** `A.x` of everything that is selected, on each type of object. */
function selectedOf({ merged }: World, executed: DocumentNode): ReadonlySet<string> {
  return new Set(
    [...coordinatesOf(merged, executed).values()].flatMap(([type, field]) =>
      possibleTypes(merged, type).map((each) => `${each}.${field}`),
    ),
  );
}

/** Whether something is selected on an entity that one subgraph does not resolve, or not by itself. */
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
  /** The ways down to it: from each type above, the field names. */
  readonly below: readonly { readonly on: string; readonly path: string }[];
}

/**
 * Whether something is left out for ever, by `@include(if: false)` or `@skip(if: true)`. The planner then makes no fetch for it,
 * and asks all the same for what that fetch would have been given.
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

/** `A.x` of each selection that is made right on the entities of a fetch. */
function selectedOnEntities(world: World, fetch: PlannedFetch): ReadonlySet<string> {
  const schema = schemaOf(world, fetch.graph);
  return new Set(
    selectionsOf(schema, fetch.operation)
      .filter(({ below }) => below.length === 1 && below[0]?.path === '_entities')
      .flatMap(({ type, name }) => possibleTypes(schema, type).map((each) => `${each}.${name}`)),
  );
}

/** Paths that the `@requires` of the selected fields of a type name, and those above them. */
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

/** Each path that a fetch is given, with the entity's type. */
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
