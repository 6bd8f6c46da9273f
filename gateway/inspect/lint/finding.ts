/** Only errors fail the lint. */
export type Severity = 'error' | 'warning' | 'info';

/**
 * Every finding with its severity and what to do about it. Codes are stable.
 *
 * @example
 * ```ts
 * import { FINDINGS } from '@behalf/gateway/tools';
 *
 * for (const [code, { severity, hint }] of Object.entries(FINDINGS)) console.log(`${severity} ${code}: ${hint}`);
 * ```
 */
export const FINDINGS = Object.freeze({
  COMPOSITION_FAILED: {
    severity: 'error',
    hint: 'Fix this first: what depends on the whole supergraph was not checked.',
  },
  SUPERGRAPH_NOT_SERVED: {
    severity: 'error',
    hint: 'The gateway does not start with it. Leave out the feature that is named.',
  },
  COVERAGE_MISSING: {
    severity: 'error',
    hint: 'Give it a rule, or @public if everybody may read it.',
  },
  RULE_NEVER_MET: {
    severity: 'error',
    hint: 'Add an alternative that a caller can meet, or remove the field. A scope has neither spaces nor quotes (RFC 6749 section 3.3).',
  },
  RULE_ASKS_NOTHING: {
    severity: 'error',
    hint: 'An empty inner list is met by everybody, and so is the whole OR. Remove it, or write @public.',
  },
  SCOPE_UNKNOWN: {
    severity: 'error',
    hint: 'Correct the name, or add the scope to the policy.',
  },
  SCOPE_UNUSED: {
    severity: 'error',
    hint: 'Remove it from the policy, or deprecate it: people would be asked to agree to something without effect.',
  },
  SCOPE_DEPRECATED: {
    severity: 'warning',
    hint: 'Offer the scope that replaces it as an alternative.',
  },
  SCOPE_EXPIRED: {
    severity: 'error',
    hint: 'The gateway no longer accepts it, so nobody meets the rule. Name the scope that replaces it.',
  },
  PURPOSE_UNKNOWN: {
    severity: 'error',
    hint: 'Correct the name, or add the purpose to the policy.',
  },
  PURPOSE_UNUSED: {
    severity: 'info',
    hint: 'People can consent to it, but no field depends on it.',
  },
  MINIMIZE_SCOPE_UNKNOWN: {
    severity: 'error',
    hint: 'Nobody ever sees the whole value. Correct the name, or add the scope to the policy.',
  },
  CATEGORY_UNUSED: {
    severity: 'warning',
    hint: 'People could choose its detail without effect. Correct the name, or remove it from the policy.',
  },
  FIELD_WITHOUT_LEVEL: {
    severity: 'error',
    hint: 'Say what it leaves at that level, if only that it keeps the value: @minimize(level: …, to: KEEP).',
  },
  LEVEL_ORDER_DIFFERS: {
    severity: 'error',
    hint: 'State the levels from most detail to least, as the policy lists them: a stricter one would give more.',
  },
  LEVEL_NOT_IN_POLICY: {
    severity: 'warning',
    hint: 'Nobody can choose it for the category. Correct the name, or add the level to the policy.',
  },
  LEVEL_UNKNOWN: {
    severity: 'error',
    hint: 'People would choose it, or a rule of the policy limits to it, without effect. Correct the field or the level.',
  },
  LEVELS_NOT_COMPARABLE: {
    severity: 'warning',
    hint: 'Make sure that it leaves no more than the one before: nobody can check it.',
  },
  REQUIRES_PROTECTED: {
    severity: 'error',
    hint: 'Repeat the rules of what it reads: this field reveals something about that.',
  },
  REQUIRES_MINIMIZED: {
    severity: 'error',
    hint: 'Minimize it in the same way or more strictly (REDACT always is), with an `unless` that needs no less; or require the scopes of `unless`.',
  },
  REQUIRES_SUBJECT: {
    severity: 'error',
    hint: 'The rows that it reads belong to a subject: give the type of this field @subject as well.',
  },
  KEY_PROTECTED: {
    severity: 'warning',
    hint: 'A caller who may not read the key gets nothing that is joined by it. Open it to everybody who may read any field of the type.',
  },
  SHARED_RULE_DIFFERS: {
    severity: 'error',
    hint: 'Repeat the rule in this subgraph: it enforces only its own rules.',
  },
  SHARED_MINIMIZATION_DIFFERS: {
    severity: 'error',
    hint: 'Only the subgraph that resolves the field minimizes it, and the planner may choose any. State the same @minimize in all of them, also where the field is @external and provided by @provides.',
  },
  SHARED_SUBJECT_DIFFERS: {
    severity: 'error',
    hint: 'Each subgraph checks only the rows that it resolves. State the same @subject in all that resolve more than keys. An @interfaceObject cannot state it: resolve the fields on the implementing types.',
  },
  SUBJECT_NOT_RECEIVED: {
    severity: 'error',
    hint: 'Every row would be refused. Make the owner part of the @key, add it to each of these fields by @requires, or resolve it here.',
  },
  FILTER_UNDECLARED: {
    severity: 'warning',
    hint: 'Whoever can filter or sort by a value learns it by asking, however the field hides it. Name the field in @filters, or give the argument another name.',
  },
  FILTER_WITHOUT_RULE: {
    severity: 'error',
    hint: 'The subgraph does not start. State the field’s rules in this subgraph too, or remove @filters.',
  },
  SHARED_FILTER_DIFFERS: {
    severity: 'warning',
    hint: 'The gateway enforces it. Repeat @filters in this subgraph, which otherwise decides nothing here by itself.',
  },
  STATEMENTS_UNRECORDED: {
    severity: 'error',
    hint: 'Compose with `behalf compose`, which records the subgraphs that state the rule.',
  },
  STATEMENTS_CONTRADICT: {
    severity: 'error',
    hint: 'The supergraph was changed after it was composed. Compose it again.',
  },
  PUBLIC_WITH_RULE: {
    severity: 'warning',
    hint: '@public does not override a rule. Remove one of them.',
  },
  INTERFACE_RULE_PARTIAL: {
    severity: 'warning',
    hint: 'The interface’s rule does not apply where the field is selected on this type. Repeat it here.',
  },
  INTERFACE_RULES_DIFFER: {
    severity: 'info',
    hint: 'Selected on the interface, the field requires the rules of all of them. Select it in fragments to require less.',
  },
  TRANSLATION_MISSING: {
    severity: 'error',
    hint: 'Add the sentence: an authority does not start with a translation that is not complete.',
  },
  TRANSLATION_UNKNOWN: {
    severity: 'error',
    hint: 'Correct the name, or remove the entry: an authority does not start with it.',
  },
  TRANSLATION_REPEATED: {
    severity: 'error',
    hint: 'Put both into one file, or correct the language.',
  },
  TRANSLATION_FIELD_UNKNOWN: {
    severity: 'warning',
    hint: 'Correct the coordinate, or remove the description.',
  },
  TRANSLATION_FIELD_MISSING: {
    severity: 'info',
    hint: 'People read the schema’s own description instead, in the policy’s language.',
  },
  SUBJECT_FIELD_SHAPE: {
    severity: 'error',
    hint: 'A subject is compared as one string: name a property that holds an identifier.',
  },
} as const satisfies Readonly<Record<string, { readonly severity: Severity; readonly hint: string }>>);

/** Every code of a {@link Finding}. */
export type FindingCode = keyof typeof FINDINGS;

/** One mistake, or likely mistake, that {@link lint} found. */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** Type, `Type.field`, `Type.field(argument:)`, `Input.field` or `Enum.VALUE`. */
  readonly coordinate?: string;
  readonly subgraph?: string;
  readonly file?: string;
  /** Counted from 1. */
  readonly line?: number;
  readonly message: string;
  readonly hint: string;
}

/** The result of a check; file and line are added later. */
export type Found = Pick<Finding, 'code' | 'message'> &
  Partial<Pick<Finding, 'coordinate' | 'file' | 'subgraph'>>;
