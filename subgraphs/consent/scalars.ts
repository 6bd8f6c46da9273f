import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql';

const DATE_TIME = /^(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;

/** @returns undefined for another form, and for a day that the calendar does not have, such as 30 February */
export function readDateTime(text: string): Date | undefined {
  const [, day] = DATE_TIME.exec(text) ?? [];
  const [time, midnight] = [new Date(text), new Date(`${day ?? ''}T00:00:00Z`)];
  if (Number.isNaN(time.getTime()) || Number.isNaN(midnight.getTime())) return undefined;
  return day !== undefined && midnight.toISOString().startsWith(day) ? time : undefined;
}

function checkDateTime(value: unknown): string {
  if (typeof value === 'string' && DATE_TIME.test(value)) return value;
  throw new GraphQLError('DateTime must have the form `YYYY-MM-DDThh:mm:ssZ`');
}

function checkText(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new GraphQLError('DateTime must be a text');
}

export const DateTimeScalar = new GraphQLScalarType<string, string>({
  name: 'DateTime',
  description: 'A calendar day and time with its offset, `YYYY-MM-DDThh:mm:ssZ`.',
  serialize: checkDateTime,
  // Its form is checked where it is used: an error of a resolver reaches the caller, and one of a scalar does not.
  parseValue: checkText,
  parseLiteral: (node: ValueNode) => checkText(node.kind === Kind.STRING ? node.value : undefined),
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
