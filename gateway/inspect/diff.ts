import { isUnrestricted, RuleTable, ruleText } from '@behalf/directives/internal';
import type { FieldRule, Minimization, Requirement, SubjectRule } from '@behalf/directives/internal';
import { isInterfaceType, isObjectType } from 'graphql';
import type { GraphQLSchema } from 'graphql';
import { checkProtection } from '../supergraph/lost-protection.js';
import type { LostProtection } from '../supergraph/lost-protection.js';
import { minimizationText } from '../supergraph/minimization.js';
import { everyRowRequirement, subjectText } from '../supergraph/subject-rule.js';
import { checkInspected } from './check-input.js';
import { compareMinimization } from './compare-minimizations.js';
import { compareFilters } from './diff-filters.js';
import { compareRequirements } from './implication.js';
import type { InspectedSupergraph } from './supergraph.js';

/** The kinds of {@link Change}. They are stable. */
export type ChangeKind =
  /** More delegations meet the rules. */
  | 'opened'
  /** A new field without a rule. */
  | 'added-open'
  /** Some delegations meet only the old rules, some only the new; or the comparison took too long. */
  | 'changed'
  /** A value in more detail, or whole to more callers. */
  | 'minimization-weakened'
  /** A value in different detail, neither more nor less. */
  | 'minimization-changed'
  /** Rows of every subject go to callers who meet the rules. */
  | 'subject-lost'
  /** Another property names the owner of a row, or others than before read every subject's rows. */
  | 'subject-changed'
  /** More delegations read every subject's rows. */
  | 'subject-weakened'
  /** An argument, input field or enum value is no longer under the rules of a field that it filters by. */
  | 'filter-lost'
  /** A rule can be bypassed: through `@requires`, or through a subgraph that does not state it. */
  | 'bypassed'
  | 'added-protected'
  | 'closed'
  | 'minimization-strengthened'
  | 'subject-gained'
  /** An argument, input field or enum value comes under the rules of a field that it filters by. */
  | 'filter-gained'
  /** Fewer delegations read every subject's rows. */
  | 'subject-strengthened'
  | 'removed';

/** Kinds of change by which somebody may read more than before. */
const OPENING_KINDS: ReadonlySet<ChangeKind> = new Set([
  'opened',
  'added-open',
  'changed',
  'minimization-weakened',
  'minimization-changed',
  'subject-lost',
  'subject-changed',
  'subject-weakened',
  'filter-lost',
  'bypassed',
]);

/** One change that {@link diffSupergraphs} found. */
export interface Change {
  readonly kind: ChangeKind;
  readonly coordinate: string;
  /** As written in a schema; empty when nothing is required, absent when there was no such field. */
  readonly before?: string;
  readonly after?: string;
  /** Whether somebody may read more than before. */
  readonly opens: boolean;
}

/**
 * Lists what a change of the supergraph opens and closes, by coordinate. Rules are compared by the delegations that meet them, not
 * by how they are written. Each field counts with everything it requires, so moving a rule from a field to its type is no change.
 *
 * @returns the changes that open something first
 * @throws {ConfigurationError} for an argument that cannot be used, with its path
 *
 * @example
 * ```ts
 * import { diffSupergraphs, inspectSupergraph } from '@behalf/gateway/tools';
 * import { readFileSync } from 'node:fs';
 *
 * const before = inspectSupergraph(readFileSync('deployed.graphql', 'utf8'), 'required');
 * const after = inspectSupergraph(readFileSync('supergraph.graphql', 'utf8'), 'required');
 * const opened = diffSupergraphs(before, after).filter(({ opens }) => opens);
 * for (const { kind, coordinate } of opened) console.log(kind, coordinate);
 * ```
 */
export function diffSupergraphs(before: InspectedSupergraph, after: InspectedSupergraph): readonly Change[] {
  checkInspected('before', before);
  checkInspected('after', after);
  const fieldsBefore = fieldsOf(before.apiSchema);
  const fieldsAfter = fieldsOf(after.apiSchema);
  const changes: Change[] = [];
  const add = (kind: ChangeKind, coordinate: string, words: Pick<Change, 'before' | 'after'>): void => {
    changes.push({ kind, coordinate, ...words, opens: OPENING_KINDS.has(kind) });
  };

  for (const [coordinate, [type, field]] of fieldsAfter) {
    const now = after.rules.requirementOf(type, field);
    if (!fieldsBefore.has(coordinate)) {
      add(isUnrestricted(now) ? 'added-open' : 'added-protected', coordinate, { after: ruleText(now) });
      continue;
    }
    const then = before.rules.requirementOf(type, field);
    const kind = kindOf(then, now);
    if (kind !== undefined) add(kind, coordinate, { before: ruleText(then), after: ruleText(now) });
    const minimization = compareMinimization(
      minimizationOf(before.rules, type, field),
      minimizationOf(after.rules, type, field),
    );
    if (minimization !== undefined) {
      add(minimization, coordinate, {
        before: minimizationText(minimizationOf(before.rules, type, field)),
        after: minimizationText(minimizationOf(after.rules, type, field)),
      });
    }
  }
  for (const coordinate of fieldsBefore.keys()) {
    if (!fieldsAfter.has(coordinate)) add('removed', coordinate, {});
  }
  for (const type of after.rules.allTypes()) {
    const known = before.rules.type(type.name);
    const kind = known === undefined ? undefined : compareSubjects(known.subject, type.subject);
    if (known === undefined || kind === undefined) continue;
    add(kind, type.name, { before: subjectText(known.subject), after: subjectText(type.subject) });
  }
  for (const { kind, coordinate, ...words } of compareFilters(before, after)) add(kind, coordinate, words);
  const bypassed = new Set(lostProtection(before).map(({ coordinate }) => coordinate));
  for (const lost of lostProtection(after)) {
    if (!bypassed.has(lost.coordinate)) add('bypassed', lost.coordinate, { after: lost.message });
  }
  return changes.sort((a, b) => Number(b.opens) - Number(a.opens) || compareText(a.coordinate, b.coordinate));
}

function lostProtection({ document }: InspectedSupergraph): readonly LostProtection[] {
  return checkProtection(document, new RuleTable(document, { coverage: 'open' }));
}

function kindOf(before: Requirement, after: Requirement): ChangeKind | undefined {
  switch (compareRequirements(before, after)) {
    case 'equal':
      return undefined;
    case 'weaker':
      return 'opened';
    case 'stronger':
      return 'closed';
    case 'incomparable':
      return 'changed';
  }
}

/** Coordinate → type and field, as clients see them. */
function fieldsOf(schema: GraphQLSchema): ReadonlyMap<string, readonly [string, string]> {
  const fields = new Map<string, readonly [string, string]>();
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__') || (!isObjectType(type) && !isInterfaceType(type))) continue;
    for (const field of Object.keys(type.getFields()))
      fields.set(`${type.name}.${field}`, [type.name, field]);
  }
  return fields;
}

function minimizationOf(rules: RuleTable, type: string, field: string): Minimization | undefined {
  const rule: FieldRule | undefined = rules.field(type, field);
  return rule?.minimization;
}

/** @returns undefined when the rule did not change */
function compareSubjects(
  before: SubjectRule | undefined,
  after: SubjectRule | undefined,
): Extract<ChangeKind, `subject-${string}`> | undefined {
  if (before === undefined) return after === undefined ? undefined : 'subject-gained';
  if (after === undefined) return 'subject-lost';
  if (before.property !== after.property) return 'subject-changed';
  switch (compareRequirements(everyRowRequirement(before), everyRowRequirement(after))) {
    case 'equal':
      return undefined;
    case 'weaker':
      return 'subject-weakened';
    case 'stronger':
      return 'subject-strengthened';
    case 'incomparable':
      return 'subject-changed';
  }
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
