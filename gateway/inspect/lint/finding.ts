/** How a finding counts: only errors fail the lint. */
export type Severity = 'error' | 'warning' | 'info';

/** Every finding, how it counts, and what to do about it. Codes are stable. */
export const FINDINGS = Object.freeze({
  COMPOSITION_FAILED: {
    severity: 'error',
    hint: 'What depends on the whole supergraph was not looked at. Mend this first.',
  },
  COVERAGE_MISSING: {
    severity: 'error',
    hint: 'Give it a rule, or @public when everybody may read it.',
  },
  RULE_NEVER_MET: {
    severity: 'error',
    hint: 'An OR without alternatives is met by nobody. Name what opens it, or remove the field.',
  },
  RULE_ASKS_NOTHING: {
    severity: 'error',
    hint: 'An empty inner list is met by everybody, and with it the whole OR. Remove it, or say @public.',
  },
  SCOPE_UNKNOWN: {
    severity: 'error',
    hint: 'Mend the name, or add the scope to the policy.',
  },
  SCOPE_UNUSED: {
    severity: 'error',
    hint: 'Take it out of the policy: people would be asked to agree to what does nothing. Or deprecate it.',
  },
  SCOPE_DEPRECATED: {
    severity: 'warning',
    hint: 'Offer the scope that replaces it as an alternative.',
  },
  SCOPE_EXPIRED: {
    severity: 'error',
    hint: 'It is not honoured any more, so the rule is met by nobody. Name the scope that replaces it.',
  },
  PURPOSE_UNKNOWN: {
    severity: 'error',
    hint: 'Mend the name, or add the purpose to the policy.',
  },
  PURPOSE_UNUSED: {
    severity: 'info',
    hint: 'People can consent to it, but no field depends on it.',
  },
  MINIMIZE_SCOPE_UNKNOWN: {
    severity: 'error',
    hint: 'The value is never whole for anybody. Mend the name, or add the scope to the policy.',
  },
  REQUIRES_PROTECTED: {
    severity: 'error',
    hint: 'Repeat the rules of what it reads: whoever reads this field learns something of that.',
  },
  REQUIRES_MINIMIZED: {
    severity: 'error',
    hint: 'Minimize it in the same way or more strictly (REDACT always is), with an `unless` that needs no less; or ask for the scopes of `unless`.',
  },
  REQUIRES_SUBJECT: {
    severity: 'error',
    hint: 'The rows that it reads belong to somebody; give the type of this field @subject as well.',
  },
  KEY_PROTECTED: {
    severity: 'warning',
    hint: 'Whoever may not read the key gets nothing that is joined by it. Let everybody read it who may read something of the type.',
  },
  SHARED_RULE_DIFFERS: {
    severity: 'error',
    hint: 'Repeat the rule in this subgraph: who reaches it directly meets only what it says itself.',
  },
  SHARED_MINIMIZATION_DIFFERS: {
    severity: 'error',
    hint: 'Only the subgraph that is asked minimizes, and the planner may ask any of them. State the same @minimize in all, also where the field is @external and comes by @provides.',
  },
  SHARED_SUBJECT_DIFFERS: {
    severity: 'error',
    hint: 'Each subgraph looks at its own rows only. State the same @subject in all that resolve more than keys. An @interfaceObject cannot state it: resolve the fields on the implementing types.',
  },
  SUBJECT_NOT_RECEIVED: {
    severity: 'error',
    hint: 'Every row would be refused. Make the owner part of the @key, read it by @requires on each of these fields, or resolve it here.',
  },
  STATEMENTS_UNRECORDED: {
    severity: 'error',
    hint: 'Compose with `behalf compose`: it looks at the subgraphs, and records which of them state the rule.',
  },
  STATEMENTS_CONTRADICT: {
    severity: 'error',
    hint: 'The supergraph was changed after it was composed. Compose it again.',
  },
  PUBLIC_WITH_RULE: {
    severity: 'warning',
    hint: '@public opens nothing that a rule closes. Remove one of them.',
  },
  INTERFACE_RULE_PARTIAL: {
    severity: 'warning',
    hint: 'A rule on an interface does not hold where the field is selected on this type. Repeat it here.',
  },
  INTERFACE_RULES_DIFFER: {
    severity: 'info',
    hint: 'Selected on the interface the field asks for the rules of all of them. Select it in fragments to ask for less.',
  },
  SUBJECT_FIELD_SHAPE: {
    severity: 'error',
    hint: 'A subject is compared as one string: name a property that holds an identifier.',
  },
} as const satisfies Readonly<Record<string, { readonly severity: Severity; readonly hint: string }>>);

export type FindingCode = keyof typeof FINDINGS;

export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** Type, or `Type.field`. */
  readonly coordinate?: string;
  readonly subgraph?: string;
  readonly file?: string;
  /** From 1. */
  readonly line?: number;
  readonly message: string;
  readonly hint: string;
}

/** What a check says; where it stands in the files is added afterwards. */
export type Found = Pick<Finding, 'code' | 'message'> & Partial<Pick<Finding, 'coordinate' | 'subgraph'>>;
