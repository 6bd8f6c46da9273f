import { denialError, describeRequirement } from '@behalf/directives';
import type { Requires } from '@behalf/directives';
import {
  getNullableType,
  GraphQLError,
  isAbstractType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  SchemaMetaFieldDef,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
} from 'graphql';
import type {
  FieldNode,
  GraphQLObjectType,
  GraphQLOutputType,
  GraphQLSchema,
  SelectionSetNode,
} from 'graphql';
import { responseKeyOf } from './analysis.js';
import type { Conditions, OperationAnalysis } from './analysis.js';
import type { FilteredOperation } from './filter.js';
import type { ExecutionOutcome } from './types.js';

export interface CompletionOptions {
  /** Errors with a path of their own, at most, for each denied selection; then one error that counts the others. */
  readonly maxPathsPerSelection: number;
}

const META_FIELDS = [TypeNameMetaFieldDef, SchemaMetaFieldDef, TypeMetaFieldDef];

/** Stands for a null in a position that may not be null: it moves to the nearest one that may. */
const PROPAGATE: unique symbol = Symbol('propagate null');

interface Position {
  readonly before: Position | undefined;
  readonly key: string | number;
}

/** One selection of a response key. */
interface Occurrence {
  readonly node: FieldNode;
  /** The denied selection that it stands on: then it was never executed, whatever its own rule. */
  readonly lostTo: FieldNode | undefined;
}

/** Selections of one response key, merged over fragments (GraphQL section 6.3.2 CollectFields). */
interface CollectedField {
  readonly key: string;
  /** The key under which it was executed. */
  readonly executedKey: string;
  readonly occurrences: readonly Occurrence[];
  readonly executed: readonly FieldNode[];
  readonly denied: FieldNode | undefined;
  readonly lostTo: FieldNode | undefined;
  readonly emptied: readonly FieldNode[];
  readonly type: GraphQLOutputType;
  readonly isTypename: boolean;
  /** For each type of object that was met below: what is selected on it. */
  readonly below: Map<string, readonly CollectedField[]>;
}

/**
 * Shapes the result of a filtered operation as the client asked for it: a null in each place from which a selection was
 * removed, keys in the order of the client's document, nulls moved upward where the schema forbids them, and an error
 * for each denied path.
 *
 * Works along the data, so the cost grows with the response and never with what fragments could expand to.
 */
export class Completion {
  private readonly errors: GraphQLError[] = [];
  private readonly pathsOf = new Map<FieldNode, number>();
  private readonly requirementsOf = new Map<FieldNode, Requires>();
  private readonly losses = new Map<FieldNode, readonly FieldNode[]>();

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly analysis: OperationAnalysis,
    private readonly filtered: FilteredOperation,
    private readonly conditions: Conditions,
    private readonly options: CompletionOptions,
  ) {}

  complete(outcome: ExecutionOutcome): ExecutionOutcome {
    const executionErrors = (outcome.errors ?? []).map((error) => this.atClientPath(error));
    const root = this.schema.getRootType(this.analysis.client.operation.operation);
    const { data } = outcome;
    // Without data there is no path at which anything could have been denied.
    if (data === undefined || data === null || root === undefined || root === null) {
      return { ...outcome, ...(executionErrors.length > 0 ? { errors: executionErrors } : {}) };
    }
    const fields = this.collect(root, [
      { set: this.analysis.client.operation.selectionSet, lostTo: undefined },
    ]);
    const completed = this.completeObject(data, root, fields, undefined);
    const errors = [...executionErrors, ...this.errors, ...this.summaries()];
    return {
      data: completed === PROPAGATE ? null : completed,
      ...(errors.length > 0 ? { errors } : {}),
    };
  }

  /** An error of the execution, at the client's keys. */
  private atClientPath(error: GraphQLError): GraphQLError {
    const { executedKeyOf } = this.analysis;
    if (error.path === undefined || executedKeyOf.size === 0) return error;
    const clientKeys = new Map([...executedKeyOf].map(([node, key]) => [key, responseKeyOf(node)]));
    const path = error.path.map((step) => (typeof step === 'string' ? (clientKeys.get(step) ?? step) : step));
    const { message, extensions, originalError } = error;
    return new GraphQLError(message, { path, extensions, originalError: originalError ?? null });
  }

  private completeObject(
    source: Readonly<Record<string, unknown>>,
    type: GraphQLObjectType,
    fields: readonly CollectedField[],
    position: Position | undefined,
  ): Record<string, unknown> | typeof PROPAGATE {
    // No prototype: `__proto__` is an ordinary response key (CVE-2026-32621).
    const target = Object.create(null) as Record<string, unknown>;
    let propagate = false;
    for (const field of fields) {
      const here: Position = { before: position, key: field.key };
      // The type's name is free, also where the selection that asked for it was lost with a denied one.
      const value = field.isTypename ? type.name : this.completeField(source, field, here);
      if (value === PROPAGATE) propagate = true;
      else target[field.key] = value;
    }
    return propagate ? PROPAGATE : target;
  }

  private completeField(
    source: Readonly<Record<string, unknown>>,
    field: CollectedField,
    here: Position,
  ): unknown {
    if (field.executed.length > 0) {
      const value = Object.hasOwn(source, field.executedKey) ? source[field.executedKey] : null;
      return this.completeValue(value, field.type, field, here);
    }
    // The whole field is gone: its own denial hides those of what was selected on it.
    if (field.denied !== undefined) this.report(field.denied, here);
    else if (field.emptied.length > 0) {
      for (const emptied of field.emptied) for (const lost of this.lossesOf(emptied)) this.report(lost, here);
    } else if (field.lostTo !== undefined) this.report(field.lostTo, here);
    return isNonNullType(field.type) ? PROPAGATE : null;
  }

  private completeValue(
    value: unknown,
    type: GraphQLOutputType,
    field: CollectedField,
    here: Position,
  ): unknown {
    if (isNonNullType(type)) {
      const completed = this.completeValue(value, type.ofType, field, here);
      return completed === null ? PROPAGATE : completed;
    }
    if (value === null || value === undefined) return null;
    if (isListType(type)) {
      if (!Array.isArray(value)) return null;
      const entries = value.map((entry: unknown, index) =>
        this.completeValue(entry, type.ofType, field, { before: here, key: index }),
      );
      return entries.includes(PROPAGATE) ? null : entries;
    }
    const named = getNullableType(type);
    if (!isObjectType(named) && !isAbstractType(named)) return value;
    // What has no selection that is ours to shape is introspection: it goes as it is.
    if (typeof value !== 'object' || field.executed.some((node) => !this.analysis.parentOf.has(node)))
      return value;
    const object = value as Record<string, unknown>;
    const objectType = isObjectType(named) ? named : this.typeOf(object);
    // An object whose type is not known cannot be told from one on which something was denied.
    if (objectType === undefined) return null;
    const completed = this.completeObject(object, objectType, this.fieldsBelow(field, objectType), here);
    return completed === PROPAGATE ? null : completed;
  }

  private typeOf(object: Readonly<Record<string, unknown>>): GraphQLObjectType | undefined {
    const name = object[this.analysis.hiddenTypenameKey];
    const type = typeof name === 'string' ? this.schema.getType(name) : undefined;
    return isObjectType(type) ? type : undefined;
  }

  private fieldsBelow(field: CollectedField, type: GraphQLObjectType): readonly CollectedField[] {
    let fields = field.below.get(type.name);
    if (fields === undefined) {
      // What is selected below a denied selection of the same key has no value, but it has its place.
      const sets = field.occurrences.flatMap(({ node, lostTo }) =>
        node.selectionSet === undefined
          ? []
          : [{ set: node.selectionSet, lostTo: lostTo ?? (this.isDenied(node) ? node : undefined) }],
      );
      fields = this.collect(type, sets);
      field.below.set(type.name, fields);
    }
    return fields;
  }

  private isDenied(node: FieldNode): boolean {
    return this.filtered.removals.get(node) === 'denied';
  }

  /** GraphQL section 6.3.2: each fragment once per set. */
  private collect(
    type: GraphQLObjectType,
    sets: readonly { readonly set: SelectionSetNode; readonly lostTo: FieldNode | undefined }[],
  ): readonly CollectedField[] {
    const grouped = new Map<string, Occurrence[]>();
    // A fragment that is reached executed and lost counts for both, so each has its own record of visits.
    const visited = new Set<string>();
    const visitedLost = new Set<string>();
    for (const { set, lostTo } of sets) {
      this.collectInto(grouped, lostTo === undefined ? visited : visitedLost, type, set, lostTo);
    }
    return [...grouped].map(([key, occurrences]) => this.classify(type, key, occurrences));
  }

  private classify(type: GraphQLObjectType, key: string, occurrences: readonly Occurrence[]): CollectedField {
    const { removals } = this.filtered;
    const own = occurrences.filter(({ lostTo }) => lostTo === undefined).map(({ node }) => node);
    const name = occurrences[0]?.node.name.value ?? '';
    const executed = own.filter((node) => !removals.has(node));
    const [first] = executed;
    return {
      key,
      executedKey: (first === undefined ? undefined : this.analysis.executedKeyOf.get(first)) ?? key,
      occurrences,
      executed,
      denied: own.find((node) => this.isDenied(node)),
      lostTo: occurrences.find(({ lostTo }) => lostTo !== undefined)?.lostTo,
      emptied: own.filter((node) => removals.get(node) === 'emptied'),
      type: this.fieldType(type, name),
      isTypename: name === TypeNameMetaFieldDef.name,
      below: new Map(),
    };
  }

  private fieldType(type: GraphQLObjectType, name: string): GraphQLOutputType {
    const field = META_FIELDS.find((meta) => meta.name === name) ?? type.getFields()[name];
    if (field === undefined)
      throw new Error(`${type.name}.${name} is not in the schema it was validated against`);
    return field.type;
  }

  private collectInto(
    grouped: Map<string, Occurrence[]>,
    visited: Set<string>,
    type: GraphQLObjectType,
    set: SelectionSetNode,
    lostTo: FieldNode | undefined,
  ): void {
    for (const selection of set.selections) {
      if (this.conditions.leavesOut(selection)) continue;
      switch (selection.kind) {
        case Kind.FIELD: {
          const key = responseKeyOf(selection);
          const occurrence = { node: selection, lostTo };
          const known = grouped.get(key);
          if (known === undefined) grouped.set(key, [occurrence]);
          else known.push(occurrence);
          break;
        }
        case Kind.INLINE_FRAGMENT:
          if (this.applies(selection.typeCondition?.name.value, type)) {
            this.collectInto(grouped, visited, type, selection.selectionSet, lostTo);
          }
          break;
        case Kind.FRAGMENT_SPREAD: {
          const fragment = this.analysis.fragments.get(selection.name.value);
          if (fragment === undefined || visited.has(fragment.name.value)) break;
          visited.add(fragment.name.value);
          if (this.applies(fragment.typeCondition.name.value, type)) {
            this.collectInto(grouped, visited, type, fragment.selectionSet, lostTo);
          }
        }
      }
    }
  }

  private applies(condition: string | undefined, type: GraphQLObjectType): boolean {
    if (condition === undefined || condition === type.name) return true;
    const conditionType = this.schema.getType(condition);
    return isAbstractType(conditionType) && this.schema.isSubType(conditionType, type);
  }

  /** Denied selections below an emptied field: enough of them to fill its errors. */
  private lossesOf(emptied: FieldNode): readonly FieldNode[] {
    let losses = this.losses.get(emptied);
    if (losses === undefined) {
      const found = new Set<FieldNode>();
      if (emptied.selectionSet !== undefined) this.findLosses(emptied.selectionSet, found, new Set());
      losses = [...found];
      this.losses.set(emptied, losses);
    }
    return losses;
  }

  private findLosses(set: SelectionSetNode, found: Set<FieldNode>, visited: Set<string>): void {
    for (const selection of set.selections) {
      if (found.size >= this.options.maxPathsPerSelection) return;
      if (this.conditions.leavesOut(selection)) continue;
      switch (selection.kind) {
        case Kind.FIELD: {
          const removal = this.filtered.removals.get(selection);
          if (removal === 'denied') found.add(selection);
          else if (removal === 'emptied' && selection.selectionSet !== undefined) {
            this.findLosses(selection.selectionSet, found, visited);
          }
          break;
        }
        case Kind.INLINE_FRAGMENT:
          this.findLosses(selection.selectionSet, found, visited);
          break;
        case Kind.FRAGMENT_SPREAD: {
          const fragment = this.analysis.fragments.get(selection.name.value);
          if (fragment === undefined || visited.has(fragment.name.value)) break;
          visited.add(fragment.name.value);
          this.findLosses(fragment.selectionSet, found, visited);
        }
      }
    }
  }

  private report(node: FieldNode, position: Position): void {
    const reported = this.pathsOf.get(node) ?? 0;
    this.pathsOf.set(node, reported + 1);
    if (reported < this.options.maxPathsPerSelection) this.errors.push(this.errorOf(node, pathTo(position)));
  }

  private errorOf(node: FieldNode, path?: readonly (string | number)[]): GraphQLError {
    let requires = this.requirementsOf.get(node);
    if (requires === undefined) {
      const index = this.analysis.requirementOf.get(node);
      const requirement = index === undefined ? undefined : this.analysis.requirements[index];
      requires = requirement === undefined ? {} : describeRequirement(requirement);
      this.requirementsOf.set(node, requires);
    }
    return denialError(coordinateOf(this.analysis, node), requires, path);
  }

  /** One error without a path for each selection that was denied at more paths than are listed. */
  private summaries(): GraphQLError[] {
    const summaries: GraphQLError[] = [];
    for (const [node, count] of this.pathsOf) {
      const omitted = count - this.options.maxPathsPerSelection;
      if (omitted <= 0) continue;
      const error = this.errorOf(node);
      error.extensions.omittedPaths = omitted;
      summaries.push(error);
    }
    return summaries;
  }
}

export function coordinateOf(analysis: OperationAnalysis, node: FieldNode): string {
  return `${analysis.parentOf.get(node)?.name ?? '?'}.${node.name.value}`;
}

function pathTo(position: Position): (string | number)[] {
  const path: (string | number)[] = [];
  for (let here: Position | undefined = position; here !== undefined; here = here.before) path.push(here.key);
  return path.reverse();
}
