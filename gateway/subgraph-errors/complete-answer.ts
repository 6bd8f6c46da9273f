import { isRecord } from '@behalf/directives/internal';
import {
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import type {
  GraphQLCompositeType,
  GraphQLLeafType,
  GraphQLOutputType,
  GraphQLSchema,
  SelectionSetNode,
} from 'graphql';
import { Expectations, TYPENAME } from './expected-fields.js';
import type { ExpectedField, ExpectedFields, ObjectType } from './expected-fields.js';
import { ExplainedPlaces } from './explained-places.js';
import type { SubgraphFetch } from './fetch.js';
import { unusableAt, unusableElsewhere } from './subgraph-error.js';
import type { ReportedStep, SubgraphError } from './subgraph-error.js';

/** Errors with their own position in one answer; one more stands for the others. */
const MAX_ERRORS = 1_000;

/** Levels of one value of a custom scalar. */
const MAX_DEPTH = 200;

/** An Int has 32 bits. */
const MAX_INT = 2 ** 31 - 1;
const MIN_INT = -(2 ** 31);

type Members = Record<string, unknown>;

interface Place {
  readonly before: Place | undefined;
  readonly step: ReportedStep;
  /** The errors at, above and below it; undefined without any. */
  readonly explained: ExplainedPlaces | undefined;
}

/** In place of a value that its field cannot have. It was reported. */
const UNUSABLE: unique symbol = Symbol('unusable');

/**
 * Makes an answer's data what the subgraph was asked for, in place, before @apollo/gateway joins it with others: a value that its
 * field cannot have would make it give up the operation, and a member that nobody asked for could replace another subgraph's.
 *
 * - A member that was not requested is removed.
 * - A value of the wrong type is removed, or null in a list. An ID that is a number becomes text.
 * - Each such value, each requested member that is missing, and each null where the schema permits none is an error at its
 *   position, unless one of the subgraph's errors concerns it. @apollo/gateway propagates nulls afterwards.
 *
 * Visits the data once; the cost grows with the data, and with the selections on each type in them.
 *
 * @param schema of the supergraph
 * @param variables of the request
 * @param reported the answer's errors
 */
export function completeAnswer(
  data: Members,
  fetch: SubgraphFetch,
  {
    schema,
    variables,
    reported,
  }: {
    readonly schema: GraphQLSchema;
    readonly variables: Readonly<Record<string, unknown>>;
    readonly reported: readonly SubgraphError[];
  },
): readonly SubgraphError[] {
  const completion = new AnswerCompletion(fetch, schema, new Expectations(fetch.sent, schema, variables));
  return completion.complete(data, variables.representations, ExplainedPlaces.of(reported));
}

class AnswerCompletion {
  readonly #errors: SubgraphError[] = [];
  readonly #fetch: SubgraphFetch;
  readonly #schema: GraphQLSchema;
  readonly #expectations: Expectations;
  /** Index of the entity that is being completed. */
  #entity: number | undefined;

  constructor(fetch: SubgraphFetch, schema: GraphQLSchema, expectations: Expectations) {
    this.#fetch = fetch;
    this.#schema = schema;
    this.#expectations = expectations;
  }

  complete(data: Members, representations: unknown, explained: ExplainedPlaces): readonly SubgraphError[] {
    const { sent } = this.#fetch;
    if (sent.isForEntities) this.#completeEntities(data._entities, representations, explained);
    else {
      const type = sent.operation === undefined ? undefined : this.#schema.getRootType(sent.operation);
      if (type === undefined || type === null) return [];
      this.#completeMembers(data, sent.roots, { type, isExact: true }, undefined, explained);
    }
    return this.#errors;
  }

  #completeEntities(entities: unknown, representations: unknown, explained: ExplainedPlaces): void {
    if (!Array.isArray(entities) || !Array.isArray(representations)) return;
    const list = entities as unknown[];
    for (const [index, representation] of (representations as readonly unknown[]).entries()) {
      const name = isRecord(representation) ? representation[TYPENAME] : undefined;
      const type = typeof name === 'string' ? this.#schema.getType(name) : undefined;
      this.#entity = index;
      if (isCompositeType(type)) list[index] = this.#completeEntity(list[index], type, explained.at(index));
      else if (!isRecord(list[index])) list[index] = null;
    }
  }

  /** An entity that is null was not found: only what cannot be null is then missing. */
  #completeEntity(
    value: unknown,
    type: GraphQLCompositeType,
    explained: ExplainedPlaces | undefined,
  ): Members | null {
    const { roots } = this.#fetch.sent;
    const static_ = { type, isExact: isObjectType(type) };
    const isNull = value === null || value === undefined;
    const object = isRecord(value) ? value : {};
    const on = this.#typeOf(object, type, this.#expectations.of(roots, static_), true);
    const fields = this.#expectations.of(roots, on ?? static_);
    if (isRecord(value) && on !== undefined) {
      this.#completeMembers(value, roots, on, undefined, explained);
      return value;
    }
    for (const field of fields.values()) {
      if (field.name === TYPENAME || !field.isRequired || (isNull && !isNonNullType(field.type))) continue;
      this.#report(placeOf(undefined, field, explained));
    }
    return null;
  }

  #completeMembers(
    object: Members,
    sets: readonly SelectionSetNode[],
    on: ObjectType,
    before: Place | undefined,
    explained: ExplainedPlaces | undefined,
  ): void {
    const fields = this.#expectations.of(sets, on);
    for (const key of Object.keys(object)) if (!fields.has(key)) Reflect.deleteProperty(object, key);
    for (const field of fields.values()) {
      const { key, name, type, isRequired } = field;
      if (name === TYPENAME) {
        // @apollo/gateway drops an object of another type, and an operation whose root says something else, without a word.
        if (on.isExact && (isRequired || Object.hasOwn(object, key))) object[key] = on.type.name;
        continue;
      }
      const here = placeOf(before, field, explained);
      if (!Object.hasOwn(object, key)) {
        if (isRequired) this.#report(here);
        continue;
      }
      const completed = this.#completeValue(object[key], type, field, here);
      if (completed === UNUSABLE) Reflect.deleteProperty(object, key);
      else object[key] = completed;
    }
  }

  /** @returns the value, of which lists and objects are completed in place; null or {@link UNUSABLE} */
  #completeValue(
    value: unknown,
    type: GraphQLOutputType | undefined,
    field: ExpectedField,
    here: Place,
  ): unknown {
    if (type === undefined) return value;
    if (isNonNullType(type)) {
      if (value === null) this.#report(here);
      return this.#completeValue(value, type.ofType, field, here);
    }
    if (value === null) return null;
    if (isListType(type)) return this.#completeList(value, type.ofType, field, here);
    if (isLeafType(type)) return completeLeaf(value, type) ?? this.#refuse(here);
    return this.#completeObject(value, type, field, here);
  }

  #completeList(value: unknown, entryType: GraphQLOutputType, field: ExpectedField, here: Place): unknown {
    if (!Array.isArray(value)) return this.#refuse(here);
    const entries = value as unknown[];
    for (let index = 0; index < entries.length; index += 1) {
      const step: ReportedStep = { key: index, names: undefined };
      const place: Place = { before: here, step, explained: here.explained?.at(index) };
      const completed = this.#completeValue(entries[index], entryType, field, place);
      entries[index] = completed === UNUSABLE ? null : completed;
    }
    return value;
  }

  #completeObject(value: unknown, type: GraphQLCompositeType, field: ExpectedField, here: Place): unknown {
    if (!isRecord(value)) return this.#refuse(here);
    const inStatic = this.#expectations.of(field.sets, { type, isExact: isObjectType(type) });
    const on = this.#typeOf(value, type, inStatic, false);
    if (on === undefined) return this.#refuse(here);
    this.#completeMembers(value, field.sets, on, here, here.explained);
    return value;
  }

  /**
   * The type that an object says it is of, among those that its position permits; undefined for any other one.
   *
   * @param fields what is expected of every object at this position
   * @param isNamed it is of this type, unless it says otherwise
   */
  #typeOf(
    object: Members,
    type: GraphQLCompositeType,
    fields: ExpectedFields,
    isNamed: boolean,
  ): ObjectType | undefined {
    const typenames = [...fields.values()].filter(({ name }) => name === TYPENAME);
    const key = fields.get(TYPENAME)?.name === TYPENAME ? TYPENAME : typenames[0]?.key;
    const given = key === undefined || !Object.hasOwn(object, key) ? undefined : object[key];
    if (given === undefined) {
      if (isNamed) return { type, isExact: true };
      // Of an object type, nothing else can be meant.
      if (isObjectType(type)) {
        for (const each of typenames) object[each.key] = type.name;
        return { type, isExact: true };
      }
      return key === undefined ? { type, isExact: false } : undefined;
    }
    // `@interfaceObject`: a subgraph can name an interface.
    if (given === type.name) return { type, isExact: true };
    const named = typeof given === 'string' ? this.#schema.getType(given) : undefined;
    if (!isObjectType(named) && !isInterfaceType(named)) return undefined;
    const isPermitted = isAbstractType(type) && this.#schema.isSubType(type, named);
    return isPermitted ? { type: named, isExact: true } : undefined;
  }

  #refuse(place: Place): typeof UNUSABLE {
    this.#report(place);
    return UNUSABLE;
  }

  #report(place: Place): void {
    if (place.explained !== undefined || this.#errors.length > MAX_ERRORS) return;
    if (this.#errors.length === MAX_ERRORS) {
      this.#errors.push(unusableElsewhere(this.#fetch));
      return;
    }
    const steps: ReportedStep[] = [];
    for (let each: Place | undefined = place; each !== undefined; each = each.before) steps.push(each.step);
    this.#errors.push(unusableAt(this.#fetch, { entity: this.#entity, steps: steps.reverse() }));
  }
}

function placeOf(
  before: Place | undefined,
  { key, name }: ExpectedField,
  explained: ExplainedPlaces | undefined,
): Place {
  return { before, step: { key, names: [name] }, explained: explained?.at(key) };
}

/**
 * GraphQL section 3.5: the value as its type has it; undefined if it cannot be one. @apollo/gateway would replace most of those by null,
 * and say nothing.
 */
function completeLeaf(value: unknown, type: GraphQLLeafType): unknown {
  if (isEnumType(type))
    return typeof value === 'string' && type.getValue(value) !== undefined ? value : undefined;
  switch (type.name) {
    case 'Int':
      return isWhole(value) && value >= MIN_INT && value <= MAX_INT ? value : undefined;
    case 'Float':
      return typeof value === 'number' ? value : undefined;
    case 'String':
      return typeof value === 'string' ? value : undefined;
    case 'ID':
      // A client gets text, whatever the subgraph's keys are.
      return isWhole(value) ? String(value) : typeof value === 'string' ? value : undefined;
    case 'Boolean':
      return typeof value === 'boolean' ? value : undefined;
    default:
      return isWritable(value, MAX_DEPTH) ? value : undefined;
  }
}

/** Whether JSON of this many levels can hold it: whoever writes or reads the response goes down by recursion. */
function isWritable(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((member) => isWritable(member, levels - 1));
}

/** Written without an exponent. */
function isWhole(value: unknown): value is number {
  return typeof value === 'number' && /^-?\d+$/.test(String(value));
}
