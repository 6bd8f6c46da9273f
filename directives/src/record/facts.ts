/**
 * The decision at one schema coordinate. `minimized` is an allowed read of less than the stored value. `would-deny` and
 * `would-minimize` are of a subgraph in shadow: the whole value left although a rule says otherwise.
 */
export type AccessDecision = (typeof ACCESS_DECISIONS)[number];
export const ACCESS_DECISIONS = Object.freeze([
  'allowed',
  'minimized',
  'denied',
  'would-deny',
  'would-minimize',
] as const);

/**
 * One decision of a subgraph for one request, at one coordinate. It never contains a value, an argument or a variable.
 */
export interface FieldAccess {
  /** Schema coordinate, `Type.field`. */
  readonly coordinate: string;
  readonly decision: AccessDecision;
  /** How many times the field was resolved with this decision. */
  readonly count: number;
  /** The minimization strategy, when `decision` is `minimized`. */
  readonly strategy?: string;
  /** The rule that decided, in the words of the schema (`@requiresScope(a)`); absent when no rule applies. */
  readonly rule?: string;
}

/** Key under `extensions` of a subgraph's response. The gateway takes it out of what the client gets. */
export const FACTS_EXTENSION = 'behalf';

/** Compact form on the wire: `[coordinate, decision, count, strategy | null, rule | null]`. */
export type FieldAccessTuple = readonly [string, AccessDecision, number, string | null, string | null];

/**
 * A subgraph's report to the gateway under `extensions.behalf` of its response: see {@link finishProtectedRequest}, and
 * `schemas/facts.schema.json` for its shape.
 */
export interface FactsExtension {
  readonly v: 1;
  readonly fields: readonly FieldAccessTuple[];
}
