import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql';

const DATE_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

function checkDateTime(value: unknown): string {
  if (typeof value === 'string' && DATE_TIME.test(value)) return value;
  throw new GraphQLError('DateTime must have the form `YYYY-MM-DDThh:mm:ssZ`');
}

export const DateTimeScalar = new GraphQLScalarType<string, string>({
  name: 'DateTime',
  description: 'A calendar day and time with its offset, `YYYY-MM-DDThh:mm:ssZ`.',
  serialize: checkDateTime,
  parseValue: checkDateTime,
  parseLiteral: (node: ValueNode) => checkDateTime(node.kind === Kind.STRING ? node.value : undefined),
});

/** Output only: a document whose shape is described elsewhere. */
export const JsonScalar = new GraphQLScalarType<never, unknown>({
  name: 'JSON',
  description: 'A JSON document.',
  serialize: (value) => value,
  parseValue: refuseInput,
  parseLiteral: refuseInput,
});

function refuseInput(): never {
  throw new GraphQLError('JSON cannot be used as an input type');
}
