/** The names that a schema's rules use, each with the coordinates of the rules. */
export interface SchemaVocabulary {
  readonly scopes: ReadonlyMap<string, readonly string[]>;
  readonly purposes: ReadonlyMap<string, readonly string[]>;
  /** Fields with a data category or levels of detail, by coordinate. */
  readonly details: ReadonlyMap<string, FieldDetail>;
}

/** What a schema says about the detail of one field. */
export interface FieldDetail {
  /** Of its `@personalData`. */
  readonly category?: string;
  /** Levels of its `@minimize`, from most detail to least. */
  readonly levels: readonly string[];
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
