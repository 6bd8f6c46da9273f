import { DirectiveError } from '../errors.js';
import type { DirectiveSpecification } from './directive-specification.js';
import { BEHALF_IDENTITY } from './feature.js';
import { readString } from './read-arguments.js';

/** The rule in a subgraph's records; the gateway's own record also names the field. */
export const FILTERS_RULE = '@filters';

/** A field that an argument filters, sorts or pages by. */
export interface FilteredField {
  readonly type: string;
  readonly field: string;
}

/**
 * `@filters(field: "Customer.birthDate")`: the argument, input field or enum value filters, sorts or pages by that field. Whoever uses
 * it must be able to read the field, with its values whole, or the answer would reveal them. Repeated: all of the fields.
 */
export const filters = Object.freeze({
  name: 'filters',
  identities: [BEHALF_IDENTITY],
  arguments: ['field'],
  definition: (name) =>
    `directive @${name}(field: String!) repeatable on ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | ENUM_VALUE`,
  composed: true,
  protects: true,
  isOnInput: true,
  compile: ({ field }, coordinate) => ({ kind: 'filters', field: readField(field, coordinate) }) as const,
} as const satisfies DirectiveSpecification);

/** https://spec.graphql.org/September2025/#sec-Schema-Coordinates, of a field of an output type. */
const FIELD_COORDINATE = /^([_A-Za-z]\w*)\.([_A-Za-z]\w*)$/;

/** @throws {DirectiveError} `INVALID_RULE` */
function readField(value: unknown, coordinate: string): FilteredField {
  const [, type, field] = FIELD_COORDINATE.exec(readString(value, 'field', coordinate)) ?? [];
  if (type === undefined || field === undefined)
    throw new DirectiveError(
      'INVALID_RULE',
      '"field" must be the coordinate of a field, `Type.field`',
      coordinate,
    );
  return { type, field };
}
