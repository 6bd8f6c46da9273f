/** The names that a schema's rules use, each with the coordinates of the rules. */
export interface SchemaVocabulary {
  readonly scopes: ReadonlyMap<string, readonly string[]>;
  readonly purposes: ReadonlyMap<string, readonly string[]>;
  /** Fields of object types that a client can select, by coordinate. */
  readonly fields: ReadonlyMap<string, FieldVocabulary>;
}

/** What a schema says about one field, as far as people agree to it. */
export interface FieldVocabulary {
  /** As the schema describes it. */
  readonly description?: string;
  /** Of its `@personalData`. */
  readonly category?: string;
  /** Whether it returns values, and no objects. */
  readonly isLeaf: boolean;
  /** What its rules, its type's and its return type's require: of each entry one alternative. Entries that decide nothing are omitted. */
  readonly scopes: readonly (readonly (readonly string[])[])[];
  /** Purposes that its rules name. */
  readonly purposes: readonly string[];
  /** What `@minimize` leaves by default. Absent: the whole value. */
  readonly byDefault?: DefaultDetail;
  /** Levels of its `@minimize`, from most detail to least. */
  readonly levels: readonly LevelDetail[];
}

/** What is left of a field by default. */
export interface DefaultDetail {
  /** The strategy of `@minimize`, such as `MASK`. */
  readonly strategy: string;
  /** Its other arguments, such as `unit`. Absent: none. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** How many levels leave more than it does: they stand before it. */
  readonly levelsBefore: number;
  /** Alternatives of scopes that give the whole value; empty: none do. */
  readonly wholeWith: readonly (readonly string[])[];
}

/** What is left of a field at one level. */
export interface LevelDetail {
  readonly name: string;
  /** The strategy of `@minimize`; `KEEP` leaves the whole value. */
  readonly strategy: string;
  /** Its other arguments, such as `unit`. Absent: none. */
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/** The kinds of difference that `comparePolicyWithSchema` finds. They are stable. */
export type PolicyFindingKind =
  | 'scope-not-in-policy'
  | 'scope-not-in-schema'
  | 'purpose-not-in-policy'
  | 'purpose-not-in-schema'
  | 'deprecated-scope-required'
  | 'category-not-in-schema'
  | 'field-without-level'
  | 'level-not-in-policy'
  | 'level-order-differs'
  | 'level-not-in-schema';

/** One difference between a policy and a schema. */
export interface PolicyFinding {
  readonly kind: PolicyFindingKind;
  /** `error`: neither the authority nor the gateway starts. */
  readonly severity: 'error' | 'warning';
  /** The scope, purpose, category, `category: level`, or field. */
  readonly name: string;
  /** Where the schema names it; empty if it does not. */
  readonly coordinates: readonly string[];
  /** For a deprecated scope: the scopes to ask for instead. */
  readonly replacedBy?: readonly string[];
}
