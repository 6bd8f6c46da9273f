import { GraphQLError } from 'graphql';
import { RefusedError } from '../errors.js';

/** The limits of one operation. Everything is counted before it is planned. */
export interface OperationLimits {
  /** Lexical tokens of the text, comments included; of all operations of one HTTP request together. */
  readonly tokens: number;
  /** Operations and fragments of the text. */
  readonly definitions: number;
  /** Fields within fields, with fragments expanded. */
  readonly depth: number;
  /** Fields, fragments and spreads, each fragment counted wherever it is spread. */
  readonly selections: number;
  /** Pairs of fields under one response key, with the size of their arguments: validation compares all of them. */
  readonly overlaps: number;
  /** Root fields of the operation, with fragments expanded. */
  readonly rootFields: number;
  /** Fields under another name, each fragment counted wherever it is spread. */
  readonly aliases: number;
  /** Characters of one alias or variable name, which paths and messages repeat in each error. */
  readonly nameLength: number;
  /** Directives, each fragment counted wherever it is spread. */
  readonly directives: number;
  /** Variables that one operation defines. */
  readonly variables: number;
  /** Distinct variables in `@skip` and `@include`: each multiplies the possible cases. */
  readonly conditions: number;
  /** Entries and members in the variables' values, at every level. */
  readonly values: number;
  /** Static cost by `@cost` and `@listSize`. */
  readonly cost: number;
}

export const DEFAULT_LIMITS: OperationLimits = Object.freeze({
  tokens: 5_000,
  definitions: 100,
  depth: 20,
  selections: 2_000,
  overlaps: 50_000,
  rootFields: 30,
  aliases: 200,
  nameLength: 256,
  directives: 200,
  variables: 100,
  conditions: 10,
  values: 10_000,
  cost: 10_000,
});

/**
 * Levels of brackets in a text, of selection sets with fragments expanded, and of variable values. Not configurable: their
 * readers recurse for each level, here and in libraries.
 */
export const MAX_NESTING = 100;

/**
 * Lines of a text. Each error counts the lines before its position anew, and printing a block string indents all its lines at
 * each level. Not configurable.
 */
export const MAX_LINES = 20_000;

/** Directives at one place. GraphQL's own may each be there once. */
export const MAX_DIRECTIVES_PER_LOCATION = 10;

/** An operation's introspection may cost this many times as much as the tools' query. */
export const MAX_INTROSPECTION_RATIO = 2;

export type LimitName =
  | keyof OperationLimits
  | 'nesting'
  | 'lines'
  | 'directivesPerLocation'
  | 'introspection'
  | 'slicingArguments';

/** A limit, and the number that exceeds it. */
export interface Exceeded {
  readonly limit: LimitName;
  readonly maximum: number;
  readonly actual: number;
  /** Coordinate of the field that it is about. */
  readonly at?: string;
}

/** The first number that exceeds its limit. */
export function firstExceeded(
  numbers: Readonly<Partial<Record<LimitName, number>>>,
  limits: Readonly<Partial<Record<LimitName, number>>>,
): Exceeded | undefined {
  for (const [name, actual] of Object.entries(numbers)) {
    const limit = name as LimitName;
    const maximum = limits[limit];
    // Not "greater than": NaN must exceed every limit.
    if (maximum !== undefined && !(actual <= maximum)) return { limit, maximum, actual };
  }
  return undefined;
}

const CODE = 'OPERATION_LIMIT_EXCEEDED';

function messageOf({ limit, maximum, actual, at }: Exceeded): string {
  if (at !== undefined) return `${at} needs exactly one of the arguments that tell how long its list is`;
  return `The operation is too large: ${limit} is ${actual}, and at most ${maximum} is allowed`;
}

/** For callers that do not answer HTTP requests. */
export function limitError(exceeded: Exceeded): GraphQLError {
  return new GraphQLError(messageOf(exceeded), { extensions: { code: CODE, ...exceeded } });
}

export function limitRefusal(exceeded: Exceeded): RefusedError {
  return new RefusedError({
    code: CODE,
    message: messageOf(exceeded),
    status: 400,
    details: { ...exceeded },
  });
}
