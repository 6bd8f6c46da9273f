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

const accepting = new WeakSet<GraphQLScalarType>();

/** Lets a custom scalar of a schema pass on finished values, in place; everything else it serializes as before. */
export function acceptFinishedValues(scalar: GraphQLScalarType): void {
  if (accepting.has(scalar)) return;
  accepting.add(scalar);
  const serialize = scalar.serialize.bind(scalar);
  scalar.serialize = (value) => (value instanceof FinishedValue ? value.output : serialize(value));
}
