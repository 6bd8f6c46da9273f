import { entityText, isRecord, statementInForce, subjectOf } from '@behalf/directives/internal';
import type { Delegation } from '@behalf/directives';
import type { MinimizationContext, MinimizeStatement } from '@behalf/directives/internal';
import { getNamedType, isAbstractType, isCompositeType, isInterfaceType, isObjectType } from 'graphql';
import type { GraphQLCompositeType, GraphQLSchema, SelectionSetNode } from 'graphql';
import { Expectations, TYPENAME } from '../subgraph-errors/expected-fields.js';
import type { ExpectedField, ObjectType } from '../subgraph-errors/expected-fields.js';
import type { SentOperation } from '../subgraph-errors/sent-operation.js';
import type { MinimizedType } from '../supergraph/minimized-types.js';
import type { CompiledField, CompiledFields } from './compile-fields.js';

type Members = Record<string, unknown>;

export interface AnswerToMinimize {
  readonly data: Members;
  /** The operation that was answered. */
  readonly sent: SentOperation;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly delegation: Delegation | undefined;
  /** Coordinates that the subgraph minimized itself. */
  readonly already: ReadonlySet<string>;
  /** The beginning of the keys of hidden fields. */
  readonly prefix: string;
  /** Nothing is changed, and hidden fields were not requested. */
  readonly isShadow: boolean;
}

/** What was done at one coordinate. */
export interface MinimizedCount {
  readonly coordinate: string;
  readonly statement: MinimizeStatement;
  count: number;
}

/** The parts of one supergraph that the values are minimized by. */
export interface MinimizationParts {
  readonly schema: GraphQLSchema;
  readonly types: ReadonlyMap<string, MinimizedType>;
  readonly fields: CompiledFields;
  /** Is called for an object that became null because it does not say of which type it is. */
  readonly onUnknownType: (position: string) => void;
}

/**
 * Minimizes the values of a subgraph's answer, in place. It follows the operation that was sent, as the subgraph's own library would,
 * by the type of each object; a value that cannot be read, and an object of unknown type, become null. The cost is linear in the
 * answer.
 */
export function minimizeAnswer(
  answer: AnswerToMinimize,
  parts: MinimizationParts,
): readonly MinimizedCount[] {
  const minimization = new AnswerMinimization(answer, parts);
  minimization.run();
  return [...minimization.counts.values()];
}

class AnswerMinimization {
  readonly counts = new Map<CompiledField, MinimizedCount>();
  /** By field: the statement in force for this caller. */
  readonly #inForce = new Map<CompiledField, MinimizeStatement | undefined>();
  readonly #answer: AnswerToMinimize;
  readonly #parts: MinimizationParts;
  readonly #expectations: Expectations;

  constructor(answer: AnswerToMinimize, parts: MinimizationParts) {
    this.#answer = answer;
    this.#parts = parts;
    this.#expectations = new Expectations(answer.sent, parts.schema, answer.variables);
  }

  run(): void {
    const { data, sent, variables } = this.#answer;
    const { schema } = this.#parts;
    if (sent.isForEntities) {
      const { representations } = variables;
      if (Array.isArray(data._entities) && Array.isArray(representations))
        this.#visitEntities(data._entities as unknown[], representations as readonly unknown[]);
      return;
    }
    const root = sent.operation === undefined ? undefined : schema.getRootType(sent.operation);
    if (root !== undefined && root !== null)
      this.#visitObject(data, sent.roots, { type: root, isExact: true });
  }

  #visitEntities(entities: unknown[], representations: readonly unknown[]): void {
    for (const [index, entity] of entities.entries()) {
      const representation = representations[index];
      const name = isRecord(representation) ? representation[TYPENAME] : undefined;
      const type = typeof name === 'string' ? this.#parts.schema.getType(name) : undefined;
      if (!isRecord(entity)) continue;
      const on = isCompositeType(type) ? this.#typeOf(entity, type) : undefined;
      if (on !== undefined) this.#visitObject(entity, this.#answer.sent.roots, on);
      else if (!this.#answer.isShadow) entities[index] = this.#refuse('_entities');
    }
  }

  #visitObject(object: Members, sets: readonly SelectionSetNode[], on: ObjectType): void {
    const fields = this.#expectations.of(sets, on);
    const { isShadow } = this.#answer;
    // The same type decides what is minimized and what remains.
    if (!isShadow)
      for (const key of Object.keys(object)) if (!fields.has(key)) Reflect.deleteProperty(object, key);
    const type = this.#parts.types.get(on.type.name);
    let context: MinimizationContext | undefined;
    for (const field of fields.values()) {
      if (!Object.hasOwn(object, field.key)) continue;
      const compiled = this.#parts.fields.get(`${on.type.name}.${field.name}`);
      // A hidden field is for the gateway alone, and is removed as one that nobody requested.
      const isHidden = field.key.startsWith(this.#answer.prefix);
      if (compiled !== undefined && !isHidden) {
        context ??= this.#contextOf(object, type);
        this.#minimize(object, field.key, compiled, context);
      }
      if (field.sets.length > 0) object[field.key] = this.#visitValue(object[field.key], field);
    }
  }

  /** @returns the value, of which lists and objects are minimized in place; null for an object of unknown type */
  #visitValue(value: unknown, field: ExpectedField): unknown {
    if (Array.isArray(value)) {
      const entries = value as unknown[];
      for (const [index, entry] of entries.entries()) entries[index] = this.#visitValue(entry, field);
      return value;
    }
    const type = field.type === undefined ? undefined : getNamedType(field.type);
    // What is no object is not accepted later.
    if (!isRecord(value) || !isCompositeType(type)) return value;
    const on = this.#typeOf(value, type);
    if (on === undefined) return this.#answer.isShadow ? value : this.#refuse(type.name);
    this.#visitObject(value, field.sets, on);
    return value;
  }

  /** The type that an object says it is of; undefined for one that its position does not permit. */
  #typeOf(object: Members, type: GraphQLCompositeType): ObjectType | undefined {
    const given = this.#member(object, TYPENAME);
    if (isObjectType(type)) return { type, isExact: true };
    if (given === type.name) return { type, isExact: true };
    const named = typeof given === 'string' ? this.#parts.schema.getType(given) : undefined;
    if (!isObjectType(named) && !isInterfaceType(named)) return undefined;
    return isAbstractType(type) && this.#parts.schema.isSubType(type, named)
      ? { type: named, isExact: true }
      : undefined;
  }

  #minimize(object: Members, key: string, field: CompiledField, context: MinimizationContext): void {
    const { already, delegation, isShadow } = this.#answer;
    if (!this.#inForce.has(field)) this.#inForce.set(field, statementInForce(field.minimization, delegation));
    const statement = this.#inForce.get(field);
    if (statement === undefined || already.has(field.coordinate)) return;
    const counted = this.counts.get(field);
    if (counted === undefined) this.counts.set(field, { coordinate: field.coordinate, statement, count: 1 });
    else counted.count += 1;
    if (!isShadow) object[key] = field.minimize(statement, object[key], context);
  }

  #contextOf(object: Members, type: MinimizedType | undefined): MinimizationContext {
    const { delegation } = this.#answer;
    const key = type?.key ?? [];
    const owner = type?.owner;
    return {
      // An anonymous caller has no client for pseudonyms: all of them share one.
      clientId: delegation?.clientId ?? '',
      purposes: delegation?.consent?.purposes,
      subject:
        owner === undefined
          ? delegation?.service === true
            ? undefined
            : delegation?.subject
          : subjectOf({ owner: this.#member(object, owner.field) }, 'owner'),
      entity: key.length === 0 ? undefined : entityText(key.map((name) => this.#member(object, name))),
    };
  }

  /** A hidden field of an object. */
  #member(object: Members, name: string | undefined): unknown {
    const key = `${this.#answer.prefix}${name ?? ''}`;
    return name !== undefined && Object.hasOwn(object, key) ? object[key] : undefined;
  }

  #refuse(position: string): null {
    this.#parts.onUnknownType(position);
    return null;
  }
}
