import { DirectiveError } from '../errors.js';
import type { KeyedDigest } from './keyed-digest.js';
import type { Arguments } from '../specification/read-arguments.js';

/** Whom a value is minimized for, besides the value. */
export interface MinimizationContext {
  /** Pseudonyms and noise are stable for one client and unlinkable between clients. */
  readonly clientId: string;
  /** What the delegation's consent is for: the same client gets other pseudonyms and noise for other purposes. */
  readonly purposes?: readonly string[] | undefined;
  /** The key of the entity that the value is of, for noise that differs between equal values. Undefined without one. */
  readonly entity?: string | undefined;
  /** Whose the value is: the row's, or else the caller's own. Undefined if it is nobody's. */
  readonly subject?: string | undefined;
}

/**
 * Minimizes one value, as its type serializes it, and as the resolver returned it. Returns null for an unreadable one, and a
 * `Date` for the type to write.
 */
export type Strategy = (serialized: unknown, context: MinimizationContext, value: unknown) => unknown;

/** The purposes of a delegation, in whichever order it names them. */
export function purposesText({ purposes = [] }: MinimizationContext): string {
  return JSON.stringify([...new Set(purposes)].sort());
}

/** The field whose values a strategy minimizes. */
export interface MinimizedField {
  readonly coordinate: string;
  /** The name of its scalar or enum. */
  readonly typeName: string;
  /** Of its enum; absent for a scalar. */
  readonly enumValues?: ReadonlySet<string> | undefined;
  /**
   * @param domain what digests of one value differ by; by default the field
   * @throws {DirectiveError} `MISSING_PSEUDONYM_KEY` without a key of at least 32 bytes
   */
  readonly keyedDigest: (domain?: string) => KeyedDigest;
}

/** The rest of a value under one statement of a strategy and another: `weaker` leaves more. */
export type StrategyComparison = 'equal' | 'weaker' | 'stronger' | 'incomparable';

/** What is stated of one strategy of `@minimize`; each has its own file. */
export interface StatementDefinition<Parameters extends object> {
  /** Its arguments of the directive, by name, with their types in the schema. */
  readonly arguments: Readonly<Record<string, string>>;
  /** @throws {DirectiveError} `INVALID_RULE` for unreadable arguments */
  readonly read: (args: Arguments, coordinate: string) => Parameters;
  readonly compare: (before: Parameters, after: Parameters) => StrategyComparison;
}

/** A strategy that minimizes each value by itself. */
export interface StrategyDefinition<Parameters extends object> extends StatementDefinition<Parameters> {
  /** Whether a field of an enum's type can have it. Absent: only a scalar's. */
  readonly fitsEnums?: (parameters: Parameters) => boolean;
  /** @throws {DirectiveError} `INVALID_RULE` if it does not fit the field; `MISSING_PSEUDONYM_KEY` */
  readonly compile: (parameters: Parameters, field: MinimizedField) => Strategy;
}

/** @param before the larger, the more is left */
export function byDetail(before: number, after: number): 'equal' | 'weaker' | 'stronger' {
  return after === before ? 'equal' : after > before ? 'weaker' : 'stronger';
}

/** A schema's own `String` or `ID` may be written as anything; what is not a text is null. */
export function ofText(minimize: (text: string, context: MinimizationContext) => string | null): Strategy {
  return (serialized, context) => (typeof serialized === 'string' ? minimize(serialized, context) : null);
}

export function isText(type: string): boolean {
  return type === 'String' || type === 'ID';
}

export function isNumber(type: string): boolean {
  return type === 'Int' || type === 'Float';
}

/** Scalars of integers have no standard but these names (graphql-scalars, graphql-java, Hasura, PostGraphile, Hot Chocolate). */
const WHOLE = new RegExp(
  [
    // BigInt, UnsignedBigInt, NonNegativeInt, Int53, LongInt, PositiveLong, UInt256
    String.raw`^(?:Huge|Big|Medium|Small|Tiny|Long|Short|Safe|Signed|Unsigned|[US]|(?:Non_?)?(?:Positive|Negative)|_)*(?:Int(?:eger)?|Long|Short|Byte)\d{0,3}$`,
    String.raw`^(?:I|U)(?:8|16|32|64|128|256)$`,
    String.raw`^(?:Big|Small)?Serial\d?$`,
    String.raw`^(?:Whole|Natural|Integral)(?:Number)?$`,
  ].join('|'),
  'i',
);

export function isWhole(type: string): boolean {
  return WHOLE.test(type);
}

/** @throws {DirectiveError} `INVALID_RULE` */
export function needsType(fits: boolean, strategy: string, wanted: string, coordinate: string): void {
  if (!fits)
    throw new DirectiveError(
      'INVALID_RULE',
      `@minimize(to: ${strategy}) needs a field of type ${wanted}`,
      coordinate,
    );
}

/** @throws {DirectiveError} `INVALID_RULE` */
export function needsScalar(strategy: string, coordinate: string): never {
  throw new DirectiveError(
    'INVALID_RULE',
    `@minimize(to: ${strategy}) needs a field of a scalar type`,
    coordinate,
  );
}
