import type { TxnTokenRefusal } from '../claims/txn-token-refusals.js';

/**
 * The decision at one schema coordinate. `minimized` is an allowed read of less than the stored value. `would-deny` and
 * `would-minimize` come from a subgraph in shadow mode: the whole value was returned despite a rule.
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
  /** The minimization strategy, if `decision` is `minimized`. */
  readonly strategy?: string;
  /** The level of detail in force, if it was not the default. Only the gateway's record has it. */
  readonly level?: string;
  /** The deciding rule, in the schema's words (`@requiresScope(a)`); absent if no rule applies. */
  readonly rule?: string;
}

/** Key under `extensions` of a subgraph's response. The gateway removes it from the client's response. */
export const FACTS_EXTENSION = 'behalf';

/** Compact form on the wire: `[coordinate, decision, count, strategy | null, rule | null]`. */
export type FieldAccessTuple = readonly [string, AccessDecision, number, string | null, string | null];

/** Most subjects that one response names. */
export const MAX_SUBJECTS = 100;
/** Longest name of a subject, in UTF-16 code units (OpenID Connect Core section 2 allows 255 characters). */
export const MAX_SUBJECT_LENGTH = 1_024;

/** The accesses of one request with an accepted transaction token. */
export interface AccessFacts {
  readonly v: 1;
  readonly fields: readonly FieldAccessTuple[];
  /** The subjects whose rows were read (`@subject`), each once. The gateway records them under pseudonyms. Absent: none. */
  readonly subjects?: readonly string[];
  /** Rows of more subjects were read than are named. */
  readonly moreSubjects?: true;
  readonly refusedToken?: never;
}

/** Why the transaction token of a request was refused, or that it had none, so that it was executed as an anonymous one. */
export interface RefusalFacts {
  readonly v: 1;
  readonly refusedToken: TxnTokenRefusal;
  readonly fields?: never;
}

/**
 * A subgraph's report to the gateway under `extensions.behalf` of its response: see {@link finishProtectedRequest}, and
 * `schemas/facts.schema.json` for its shape.
 */
export type FactsExtension = AccessFacts | RefusalFacts;
