import { getNullableType, isAbstractType, isListType, isNonNullType, isObjectType } from 'graphql';
import type { GraphQLObjectType, GraphQLOutputType, GraphQLSchema } from 'graphql';
import type { CollectedField, FieldCollector } from './collect.js';
import type { DenialErrors } from './denial-errors.js';
import type { ObjectTypes } from './minimized-fields.js';
import type { Position } from './position.js';

/** Represents a null in a non-null position: it propagates to the nearest nullable one. */
const PROPAGATE: unique symbol = Symbol('propagate null');

/**
 * Shapes the data of a filtered operation as the client requested it: null at each removed position, keys in the order of the
 * client's document, and non-null propagation. Reports each denied path.
 *
 * Follows the data, so the cost grows with the response and never with what fragments could expand to.
 */
export class Completion {
  readonly #collector: FieldCollector;
  readonly #denials: DenialErrors;
  readonly #types: ObjectTypes | undefined;

  /** @param types receives the types of objects on interfaces and unions */
  constructor(collector: FieldCollector, denials: DenialErrors, types?: ObjectTypes) {
    this.#collector = collector;
    this.#denials = denials;
    this.#types = types;
  }

  complete(data: Readonly<Record<string, unknown>>): Record<string, unknown> | null {
    const { schema, analysis } = this.#collector.executed;
    const root = schema.getRootType(analysis.client.operation.operation);
    if (root === undefined || root === null) return null;
    const completed = this.#completeObject(data, root, this.#collector.atRoot(), undefined);
    return completed === PROPAGATE ? null : completed;
  }

  #completeObject(
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
      // `__typename` is free, even if its selection was lost with a denied one.
      const value = field.isTypename ? type.name : this.#completeField(source, field, here);
      if (value === PROPAGATE) propagate = true;
      else target[field.key] = value;
    }
    return propagate ? PROPAGATE : target;
  }

  #completeField(source: Readonly<Record<string, unknown>>, field: CollectedField, here: Position): unknown {
    if (field.executed.length > 0) {
      const value = Object.hasOwn(source, field.executedKey) ? source[field.executedKey] : null;
      return this.#completeValue(value, field.type, field, here);
    }
    // The whole field is gone: its own denial hides those of its selections.
    if (field.denied !== undefined) this.#denials.report(field.denied, here);
    else if (field.emptied.length > 0) this.#denials.reportEmptied(field.emptied, here);
    else if (field.lostTo !== undefined) this.#denials.report(field.lostTo, here);
    return isNonNullType(field.type) ? PROPAGATE : null;
  }

  #completeValue(value: unknown, type: GraphQLOutputType, field: CollectedField, here: Position): unknown {
    if (isNonNullType(type)) {
      const completed = this.#completeValue(value, type.ofType, field, here);
      return completed === null ? PROPAGATE : completed;
    }
    if (value === null || value === undefined) return null;
    if (isListType(type)) {
      if (!Array.isArray(value)) return null;
      const entries = value.map((entry: unknown, index) =>
        this.#completeValue(entry, type.ofType, field, { before: here, key: index }),
      );
      return entries.includes(PROPAGATE) ? null : entries;
    }
    const named = getNullableType(type);
    if (!isObjectType(named) && !isAbstractType(named)) return value;
    // Only introspection has no selection of the client's to shape: it passes unchanged.
    if (typeof value !== 'object' || field.executed.some((node) => !this.#isOurs(node))) return value;
    const object = value as Record<string, unknown>;
    const { schema, analysis } = this.#collector.executed;
    const objectType = isObjectType(named) ? named : typeAt(object, schema, analysis.hiddenTypenameKey);
    // An object of unknown type cannot be distinguished from one with denied fields.
    if (objectType === undefined) return null;
    const completed = this.#completeObject(
      object,
      objectType,
      this.#collector.below(field, objectType),
      here,
    );
    if (completed === PROPAGATE) return null;
    if (objectType !== named) this.#types?.set(completed, objectType);
    return completed;
  }

  #isOurs(node: CollectedField['executed'][number]): boolean {
    return this.#collector.executed.analysis.parentOf.has(node);
  }
}

/** The type of an object on an interface or a union, where the executed operation asked for it. */
export function typeAt(
  object: Readonly<Record<string, unknown>>,
  schema: GraphQLSchema,
  hiddenTypenameKey: string,
): GraphQLObjectType | undefined {
  const name = Object.hasOwn(object, hiddenTypenameKey) ? object[hiddenTypenameKey] : undefined;
  const type = typeof name === 'string' ? schema.getType(name) : undefined;
  return isObjectType(type) ? type : undefined;
}
