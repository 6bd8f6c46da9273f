import { getNamedType, isListType, isNonNullType } from 'graphql';
import type { GraphQLOutputType } from 'graphql';
import { DirectiveError } from '../../errors.js';

/** It has none. */
export type RedactParameters = object;

/** What stands for a value of these types where null may not. */
const DEFAULTS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['String', '[redacted]'],
  ['ID', '[redacted]'],
  ['Int', 0],
  ['Float', 0],
  ['Boolean', false],
]);

/**
 * What a field has in place of a value: null, or its type's default where null is not allowed. Each entry of a list is replaced:
 * the list says as much as it would without values.
 *
 * @throws {DirectiveError} `INVALID_RULE` if its type has neither
 */
export function redactedValue(type: GraphQLOutputType, coordinate: string): unknown {
  const { entry, mayBeNull } = entryOf(type);
  if (mayBeNull && entry === type) return null;
  const { name } = getNamedType(entry);
  if (DEFAULTS.has(name)) return DEFAULTS.get(name);
  if (mayBeNull) return null;
  throw new DirectiveError(
    'INVALID_RULE',
    `REDACT needs a nullable field, or one of type ${[...DEFAULTS.keys()].join(', ')}`,
    coordinate,
  );
}

/** The type within all lists. */
function entryOf(type: GraphQLOutputType): {
  readonly entry: GraphQLOutputType;
  readonly mayBeNull: boolean;
} {
  const inner = isNonNullType(type) ? type.ofType : type;
  return isListType(inner) ? entryOf(inner.ofType) : { entry: type, mayBeNull: inner === type };
}
