import { liftedBy, statementInForce, withoutUndefined } from '@behalf/directives/internal';
import type { Delegation } from '@behalf/directives';
import type { Minimization, MinimizeStatement, RuleTable } from '@behalf/directives/internal';
import { isAbstractType, isListType, isNonNullType, isObjectType } from 'graphql';
import type { FieldNode, GraphQLObjectType, GraphQLOutputType } from 'graphql';
import { shownParameters } from '../supergraph/minimization.js';
import type { OperationAnalysis } from './analysis.js';
import type { CollectedField, FieldCollector } from './collect.js';
import { pathTo } from './position.js';
import type { Position } from './position.js';

/** One minimized field of an answer: an entry of `extensions.minimized`. */
export interface MinimizedField {
  /** `Type.field`, of the type of the objects at the paths. */
  readonly coordinate: string;
  readonly strategy: MinimizeStatement['to'];
  /** The other arguments of its `@minimize`, such as `unit: YEAR`. Absent without any. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** The level of detail in force; absent: the default. */
  readonly level?: string;
  /** Positions in the response, whether or not there is a value. */
  readonly paths: readonly (readonly (string | number)[])[];
  /** Further positions of the same field. */
  readonly omittedPaths?: number;
  /** Any one of these sets of scopes lifts it. Absent if no scope does. */
  readonly liftedBy?: readonly (readonly string[])[];
}

/** The object types of a completed response's positions of an interface or a union. */
export type ObjectTypes = Map<object, GraphQLObjectType>;

/** Whether a field that the operation selects is minimized for this caller, on any type. */
export function selectsMinimized(
  { parentOf }: OperationAnalysis,
  rules: RuleTable,
  delegation: Delegation | undefined,
): boolean {
  for (const [node, parent] of parentOf) {
    for (const [, { minimization }] of rules.answersOf(parent.name, node.name.value)) {
      if (minimization !== undefined && statementInForce(minimization, delegation) !== undefined) return true;
    }
  }
  return false;
}

interface MaxPaths {
  /** For each selection; the others are counted. */
  readonly maxPathsPerSelection: number;
  /** Of all fields together. */
  readonly maxErrors: number;
}

/** A minimized field, as its positions are found. */
interface Listed {
  readonly coordinate: string;
  readonly minimization: Minimization;
  readonly statement: MinimizeStatement;
  readonly paths: (string | number)[][];
  omitted: number;
}

/** A selection of objects of one type that is minimized, or contains objects. */
interface Visited {
  readonly field: CollectedField;
  readonly listed: Listed | undefined;
  readonly isComposite: boolean;
}

/**
 * Lists the positions of minimized fields in a response. A position is listed whether or not its value is null, so that the list
 * never tells what a null was.
 *
 * Follows the data once, like completion.
 */
export class MinimizedFields {
  readonly #listed = new Map<string, Listed>();
  readonly #visited = new WeakMap<readonly CollectedField[], readonly Visited[]>();
  readonly #pathsOf = new Map<FieldNode | undefined, number>();
  #paths = 0;
  readonly #collector: FieldCollector;
  readonly #rules: RuleTable;
  readonly #delegation: Delegation | undefined;
  readonly #max: MaxPaths;

  constructor(
    collector: FieldCollector,
    {
      rules,
      delegation,
      ...max
    }: MaxPaths & { readonly rules: RuleTable; readonly delegation: Delegation | undefined },
  ) {
    this.#collector = collector;
    this.#rules = rules;
    this.#delegation = delegation;
    this.#max = max;
  }

  /**
   * @param data in the shape that the client gets
   * @param types of its objects; those at positions of an object type are known without
   */
  of(data: Readonly<Record<string, unknown>>, types: ObjectTypes): readonly MinimizedField[] {
    const { schema, analysis } = this.#collector.executed;
    const root = schema.getRootType(analysis.client.operation.operation);
    if (root === undefined || root === null) return [];
    this.#visitObject(data, { type: root, fields: this.#collector.atRoot(), types }, undefined);
    return [...this.#listed.values()].map((listed) => this.#describe(listed));
  }

  #visitObject(
    object: Readonly<Record<string, unknown>>,
    on: {
      readonly type: GraphQLObjectType;
      readonly fields: readonly CollectedField[];
      readonly types: ObjectTypes;
    },
    position: Position | undefined,
  ): void {
    for (const { field, listed, isComposite } of this.#visitedOn(on.type, on.fields)) {
      const here: Position = { before: position, key: field.key };
      if (listed !== undefined) this.#list(listed, field, here);
      if (isComposite)
        this.#visitValue(object[field.key], field, { type: field.type, here, types: on.types });
    }
  }

  #visitValue(
    value: unknown,
    field: CollectedField,
    {
      type,
      here,
      types,
    }: { readonly type: GraphQLOutputType; readonly here: Position; readonly types: ObjectTypes },
  ): void {
    if (typeof value !== 'object' || value === null) return;
    const nullable = isNonNullType(type) ? type.ofType : type;
    if (isListType(nullable)) {
      if (!Array.isArray(value)) return;
      for (const [key, entry] of (value as readonly unknown[]).entries())
        this.#visitValue(entry, field, { type: nullable.ofType, here: { before: here, key }, types });
      return;
    }
    const objectType = isObjectType(nullable) ? nullable : types.get(value);
    if (objectType === undefined) return;
    const fields = this.#collector.below(field, objectType);
    this.#visitObject(value as Readonly<Record<string, unknown>>, { type: objectType, fields, types }, here);
  }

  /** What is selected on one type is read once, however many objects there are. */
  #visitedOn(type: GraphQLObjectType, fields: readonly CollectedField[]): readonly Visited[] {
    let visited = this.#visited.get(fields);
    if (visited === undefined) {
      visited = fields
        .filter(({ executed }) => executed.length > 0)
        .map((field) => ({
          field,
          listed: this.#listedFor(type, field),
          isComposite: isComposite(field.type),
        }))
        .filter((each) => each.listed !== undefined || each.isComposite);
      this.#visited.set(fields, visited);
    }
    return visited;
  }

  #listedFor(type: GraphQLObjectType, { name }: CollectedField): Listed | undefined {
    const minimization = this.#rules.field(type.name, name)?.minimization;
    const statement =
      minimization === undefined ? undefined : statementInForce(minimization, this.#delegation);
    if (minimization === undefined || statement === undefined) return undefined;
    const coordinate = `${type.name}.${name}`;
    const listed = this.#listed.get(coordinate) ?? {
      coordinate,
      minimization,
      statement,
      paths: [],
      omitted: 0,
    };
    this.#listed.set(coordinate, listed);
    return listed;
  }

  #list(listed: Listed, { executed: [node] }: CollectedField, here: Position): void {
    const ofSelection = this.#pathsOf.get(node) ?? 0;
    if (ofSelection >= this.#max.maxPathsPerSelection || this.#paths >= this.#max.maxErrors) {
      listed.omitted += 1;
      return;
    }
    this.#pathsOf.set(node, ofSelection + 1);
    this.#paths += 1;
    listed.paths.push(pathTo(here));
  }

  #describe({ coordinate, minimization, statement, paths, omitted }: Listed): MinimizedField {
    const parameters = Object.fromEntries(shownParameters(statement));
    const lifted = liftedBy(minimization, this.#delegation);
    return withoutUndefined({
      coordinate,
      strategy: statement.to,
      parameters: Object.keys(parameters).length === 0 ? undefined : parameters,
      level: statement.level,
      paths,
      omittedPaths: omitted === 0 ? undefined : omitted,
      liftedBy: lifted.length === 0 ? undefined : lifted,
    });
  }
}

function isComposite(type: GraphQLOutputType): boolean {
  let named = type;
  while (isListType(named) || isNonNullType(named)) named = named.ofType;
  return isObjectType(named) || isAbstractType(named);
}
