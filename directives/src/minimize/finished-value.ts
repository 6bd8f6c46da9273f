import type { GraphQLLeafType } from 'graphql';

/**
 * A minimized value in its final form. graphql-js serializes whatever a resolver returns, but a custom scalar may reject its
 * own output (a `DateTime` that only takes dates), or change it, so this value is returned unchanged.
 */
export class FinishedValue {
  constructor(readonly output: unknown) {}

  /** For code that wraps the schema later and reads results. */
  toJSON(): unknown {
    return this.output;
  }
}

type Serialize = (value: unknown) => unknown;

/** graphql 17 calls `coerceOutputValue`, and keeps `serialize` for older callers; graphql 16 only has the latter. */
interface OutputFunctions {
  serialize: Serialize;
  coerceOutputValue?: Serialize;
}

/** A value as graphql-js would write it. @throws the scalar's error */
export function serializeLeaf(type: GraphQLLeafType, value: unknown): unknown {
  const functions: OutputFunctions = type;
  return functions.coerceOutputValue === undefined
    ? functions.serialize(value)
    : functions.coerceOutputValue(value);
}

/**
 * A serialized value as JSON has it: a scalar may leave an object that writes itself, such as a time of Luxon or a decimal number
 * of decimal.js, to whoever sends the response. A `Date` stays one. @throws the object's error
 */
export function sentForm(serialized: unknown): unknown {
  if (typeof serialized !== 'object' || serialized === null || serialized instanceof Date) return serialized;
  if ('toJSON' in serialized && typeof serialized.toJSON === 'function')
    return (serialized as { toJSON(): unknown }).toJSON();
  const isBoxed = serialized instanceof Number || serialized instanceof String;
  return isBoxed ? serialized.valueOf() : serialized;
}

const accepting = new WeakSet<GraphQLLeafType>();

/** Lets a custom scalar of a schema pass finished values, in place; it serializes everything else as before. */
export function acceptFinishedValues(type: GraphQLLeafType): void {
  if (accepting.has(type)) return;
  accepting.add(type);
  const functions: OutputFunctions = type;
  functions.serialize = passingOn(functions.serialize.bind(type));
  if (functions.coerceOutputValue !== undefined)
    functions.coerceOutputValue = passingOn(functions.coerceOutputValue.bind(type));
}

function passingOn(serialize: Serialize): Serialize {
  return (value) => (value instanceof FinishedValue ? value.output : serialize(value));
}
