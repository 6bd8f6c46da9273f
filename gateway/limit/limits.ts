import { GraphQLError } from 'graphql';
import { RefusedError } from '../errors.js';

/** The limits of one operation. Everything is counted before it is planned. */
export interface OperationLimits {
  /** Lexical tokens of the text, comments included; of all operations of one HTTP request together. */
  readonly tokens: number;
  /** Operations and fragments that the text defines. */
  readonly definitions: number;
  /** Fields within fields, with fragments in their place. */
  readonly depth: number;
  /** Fields, fragments and spreads, each fragment counted wherever it is spread. */
  readonly selections: number;
  /**
   * Pairs of fields that give the same place of the answer, with the size of their arguments: validation compares each with
   * each.
   */
  readonly overlaps: number;
  /** Fields of the operation's own root, with fragments in their place. */
  readonly rootFields: number;
  /** Fields under another name, each fragment counted wherever it is spread. */
  readonly aliases: number;
  /** Characters of one alias, or of one variable's name: paths and messages of errors repeat it for each error. */
  readonly nameLength: number;
  /** Directives, each fragment counted wherever it is spread. */
  readonly directives: number;
  /** Variables that one operation defines. */
  readonly variables: number;
  /** Distinct variables in `@skip` and `@include`: what depends on them multiplies with each. */
  readonly conditions: number;
  /** Entries and members in the values of the variables, at every level. */
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
 * Levels of brackets in a text, of selection sets with fragments in their place, and of the values of variables. Not to be
 * configured: what reads them calls itself for each level, here and in what others wrote.
 */
export const MAX_NESTING = 100;

/**
 * Lines of a text. For each error the lines before its place are counted anew, and block strings are written out with every line
 * of them indented at each level. Not to be configured.
 */
export const MAX_LINES = 20_000;

/** Directives at one place. Those of GraphQL may stand there once each. */
export const MAX_DIRECTIVES_PER_LOCATION = 10;

/** How many times the cost of the introspection query that tools send an operation may cost in introspection. */
export const MAX_INTROSPECTION_RATIO = 2;

export type LimitName =
  | keyof OperationLimits
  | 'nesting'
  | 'lines'
  | 'directivesPerLocation'
  | 'introspection'
  | 'slicingArguments';

/** A limit, and the number that is beyond it. */
export interface Exceeded {
  readonly limit: LimitName;
  readonly maximum: number;
  readonly actual: number;
  /** Coordinate of the field that it is about. */
  readonly at?: string;
}

/** The first of the numbers that is beyond its limit. */
export function firstExceeded(
  numbers: Readonly<Partial<Record<LimitName, number>>>,
  limits: Readonly<Partial<Record<LimitName, number>>>,
): Exceeded | undefined {
  for (const [name, actual] of Object.entries(numbers)) {
    const limit = name as LimitName;
    const maximum = limits[limit];
    // Not "greater than": a number that cannot be told is beyond every limit.
    if (maximum !== undefined && !(actual <= maximum)) return { limit, maximum, actual };
  }
  return undefined;
}

const CODE = 'OPERATION_LIMIT_EXCEEDED';

function messageOf({ limit, maximum, actual, at }: Exceeded): string {
  if (at !== undefined) return `${at} needs exactly one of the arguments that tell how long its list is`;
  return `The operation is too large: ${limit} is ${actual}, and at most ${maximum} is allowed`;
}

/** For those who answer no HTTP request. */
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
