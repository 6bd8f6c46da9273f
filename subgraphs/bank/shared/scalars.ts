import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql';

/** A scalar whose values are strings matching one pattern, in the database as on the wire. */
function textScalar(name: string, description: string, form: RegExp): GraphQLScalarType<string, string> {
  const check = (value: unknown): string => {
    if (typeof value === 'string' && form.test(value)) return value;
    throw new GraphQLError(`${name} must have the form: ${description}`);
  };
  return new GraphQLScalarType({
    name,
    description,
    serialize: check,
    parseValue: check,
    parseLiteral: (node: ValueNode) => check(node.kind === Kind.STRING ? node.value : undefined),
  });
}

export const DateScalar = textScalar('Date', 'A calendar day, `YYYY-MM-DD`.', /^\d{4}-\d{2}-\d{2}$/);

export const DateTimeScalar = textScalar(
  'DateTime',
  'A calendar day and time with its offset, `YYYY-MM-DDThh:mm:ssZ`.',
  /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/,
);

export const DecimalScalar = textScalar(
  'Decimal',
  'An exact decimal number as a string, for example `"-12.50"`.',
  /^-?\d{1,18}(\.\d{1,6})?$/,
);
