import { isCompositeType, isListType, isNonNullType, isObjectType } from 'graphql';
import type { GraphQLCompositeType, GraphQLObjectType, GraphQLOutputType } from 'graphql';
import type { CollectedField, FieldCollector } from './collect.js';
import { typeAt } from './complete.js';
import type { Position } from './position.js';

/** A position in the response, on the client's own operation. */
export interface Place {
  /** In the client's keys; undefined at the root. */
  readonly position: Position | undefined;
  /** The field whose value or list contains it; undefined at the root. */
  readonly field: CollectedField | undefined;
  readonly type: GraphQLOutputType | undefined;
  /** The executed value; null below a null. */
  readonly value: unknown;
  /** Its object or list contains it, even if null. */
  readonly isThere: boolean;
}

/**
 * `unselected`: the client did not select it, or the list has no such entry. `hidden`: it was denied here, and that is reported
 * here.
 */
export type NoPlace = 'unselected' | 'hidden';

/** More entries than a subgraph response can hold: an index in a list that became null cannot be checked. */
const MAX_UNSEEN_INDEX = 1_000_000;
/** The planner's own aliases, for fields of one key with different types. */
const PLANNER_ALIAS = /^(.+)__alias_\d+$/;

type ObjectValue = Readonly<Record<string, unknown>>;

/** Finds positions along the client's operation and the executed data. */
export class Places {
  readonly #byKey = new WeakMap<readonly CollectedField[], ReadonlyMap<string, CollectedField>>();
  readonly root: Place;

  readonly #collector: FieldCollector;
  /** Undefined if the client's operation was executed unchanged: then a type is known only if it is the only one. */
  readonly #hiddenTypenameKey: string | undefined;

  constructor(collector: FieldCollector, data: ObjectValue | null, hiddenTypenameKey: string | undefined) {
    this.#collector = collector;
    this.#hiddenTypenameKey = hiddenTypenameKey;
    this.root = { position: undefined, field: undefined, type: undefined, value: data, isThere: true };
  }

  /**
   * One step further.
   *
   * @param key response key under which it was executed, or an index
   * @param names fields to which the step may lead; any other under its key is not meant
   */
  step(place: Place, key: string | number, names?: readonly string[]): Place | NoPlace {
    return typeof key === 'number' ? this.#entry(place, key) : this.#fieldAt(place, key, names);
  }

  /** The selections on an object that are null. */
  nullsOn(place: Place): readonly Place[] {
    if (isNothing(place.value)) return [];
    return [...this.#fieldsAt(place).keys()]
      .map((key) => this.step(place, key))
      .filter((next) => typeof next === 'object')
      .filter(({ value }) => isNothing(value));
  }

  /** Whether every object at this position has the same type. */
  isOfOneType(place: Place): boolean {
    return place.field === undefined || isObjectType(namedTypeAt(place));
  }

  /** Whether a null at this position can come from a field below it. */
  takesNullsOf(place: Place, key: string): boolean {
    const field = this.#find(place, key);
    return field !== undefined && isNonNullType(field.type);
  }

  #entry(place: Place, index: number): Place | NoPlace {
    const entryType = entryTypeAt(place);
    if (entryType === undefined) return 'unselected';
    const { value } = place;
    const isThere = Array.isArray(value)
      ? index < value.length
      : isNothing(value) && index < MAX_UNSEEN_INDEX;
    if (!isThere) return 'unselected';
    return {
      position: { before: place.position, key: index },
      field: place.field,
      type: entryType,
      value: Array.isArray(value) ? (value[index] as unknown) : null,
      isThere: Array.isArray(value),
    };
  }

  #fieldAt(place: Place, key: string, names: readonly string[] | undefined): Place | NoPlace {
    const { value } = place;
    if (!isNothing(value) && (typeof value !== 'object' || Array.isArray(value))) return 'unselected';
    const field = this.#find(place, key);
    if (field === undefined) return 'unselected';
    if (names !== undefined && !field.occurrences.some(({ node }) => names.includes(node.name.value)))
      return 'unselected';
    const isThere = !isNothing(value) && Object.hasOwn(value, field.executedKey);
    const isKnown = this.isOfOneType(place) || this.#typeOf(value) !== undefined;
    // With several types, an object only has the selections on its own.
    if (!isKnown && !isThere) return 'unselected';
    // Completion only gets here if there is an object, and reports its denials.
    if (!isExecuted(field, isKnown)) return isNothing(value) ? 'unselected' : 'hidden';
    return {
      position: { before: place.position, key: field.key },
      field,
      type: field.type,
      value: isThere ? (value as ObjectValue)[field.executedKey] : null,
      isThere,
    };
  }

  #find(place: Place, key: string): CollectedField | undefined {
    const fields = this.#fieldsAt(place);
    const original = PLANNER_ALIAS.exec(key)?.[1];
    return fields.get(key) ?? (original === undefined ? undefined : fields.get(original));
  }

  /** The selections at a position, by the keys under which they were executed. */
  #fieldsAt(place: Place): ReadonlyMap<string, CollectedField> {
    const fields = this.#collectedAt(place);
    let byKey = this.#byKey.get(fields);
    if (byKey === undefined) {
      byKey = new Map(fields.map((field) => [field.executedKey, field]));
      this.#byKey.set(fields, byKey);
    }
    return byKey;
  }

  #collectedAt(place: Place): readonly CollectedField[] {
    const { field, value } = place;
    if (field === undefined) return this.#atRoot;
    const named = namedTypeAt(place);
    if (named === undefined) return [];
    if (isObjectType(named)) return this.#collector.below(field, named);
    return this.#collector.below(field, this.#typeOf(value));
  }

  #typeOf(value: unknown): GraphQLObjectType | undefined {
    if (this.#hiddenTypenameKey === undefined || typeof value !== 'object' || value === null)
      return undefined;
    return typeAt(value as ObjectValue, this.#collector.executed.schema, this.#hiddenTypenameKey);
  }

  #rootFields: readonly CollectedField[] | undefined;

  get #atRoot(): readonly CollectedField[] {
    this.#rootFields ??= this.#collector.atRoot();
    return this.#rootFields;
  }
}

/** If several types are possible, the selections on all of them must be permitted. */
function isExecuted({ executed, occurrences }: CollectedField, isKnown: boolean): boolean {
  return executed.length > 0 && (isKnown || executed.length === occurrences.length);
}

export function isNothing(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

/** The type of a list's entries; undefined if the type at the place is not a list. */
export function entryTypeAt({ type }: Place): GraphQLOutputType | undefined {
  const nullable = isNonNullType(type) ? type.ofType : type;
  return isListType(nullable) ? nullable.ofType : undefined;
}

/** The type of the objects at a place; undefined for a list, and for a type without fields. */
function namedTypeAt({ type }: Place): GraphQLCompositeType | undefined {
  const nullable = isNonNullType(type) ? type.ofType : type;
  return isCompositeType(nullable) ? nullable : undefined;
}
