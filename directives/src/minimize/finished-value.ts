import type { GraphQLScalarType } from 'graphql';

/**
 * A minimized value as it goes out. graphql-js serializes whatever a resolver returns, and a custom scalar need not accept its
 * own output (a `DateTime` that takes dates only), or may make something else of it: for this, it is handed out as it is.
 */
export class FinishedValue {
  constructor(readonly output: unknown) {}

  /** For code that is put around the schema later and looks at results. */
  toJSON(): unknown {
    return this.output;
  }
}

type Serialize = (value: unknown) => unknown;

/** graphql 17 calls `coerceOutputValue`, and keeps `serialize` for older callers; graphql 16 has the latter alone. */
interface OutputFunctions {
  serialize: Serialize;
  coerceOutputValue?: Serialize;
}

/** A value as graphql-js would write it. @throws what the scalar throws */
export function serializeScalar(scalar: GraphQLScalarType, value: unknown): unknown {
  const functions: OutputFunctions = scalar;
  return functions.coerceOutputValue === undefined
    ? functions.serialize(value)
    : functions.coerceOutputValue(value);
}

const accepting = new WeakSet<GraphQLScalarType>();

/** Lets a custom scalar of a schema pass on finished values, in place; everything else it serializes as before. */
export function acceptFinishedValues(scalar: GraphQLScalarType): void {
  if (accepting.has(scalar)) return;
  accepting.add(scalar);
  const functions: OutputFunctions = scalar;
  functions.serialize = passingOn(functions.serialize.bind(scalar));
  if (functions.coerceOutputValue !== undefined)
    functions.coerceOutputValue = passingOn(functions.coerceOutputValue.bind(scalar));
}

function passingOn(serialize: Serialize): Serialize {
  return (value) => (value instanceof FinishedValue ? value.output : serialize(value));
}
