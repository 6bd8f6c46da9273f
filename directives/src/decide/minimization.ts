import type { Delegation } from '../claims/delegation.js';
import { DirectiveError } from '../errors.js';
import { compareStrategies } from '../minimize/strategies/index.js';
import type { MinimizeStatement } from '../specification/minimize.js';
import type { Alternatives } from '../specification/read-arguments.js';
import { holdsOne } from './requirement.js';

/** Everything that `@minimize` says about one field. */
export interface Minimization {
  /** In the supergraph, where root types have their standard names. */
  readonly coordinate: string;
  /** Of its `@personalData`. */
  readonly category: string | undefined;
  /** From most detail to least. At most one has no level: what a caller gets by default. */
  readonly statements: readonly MinimizeStatement[];
}

/** In place of levels: all of them. */
export const EVERY_LEVEL = '*';
/** In place of a category or a field: all of them. */
export const EVERYTHING = '*';

/** Of one field. A request notes the one in force in a byte, where a greater number could be taken for another decision. */
const MAX_STATEMENTS = 16;

/**
 * Joins the statements of one field, in the order of the schema. Composition writes down what each subgraph states, so what means
 * the same counts once.
 *
 * @returns undefined without any
 * @throws {DirectiveError} `INVALID_RULE` if they are too many, two are of one level, or a later one is known to leave as much as
 *   an earlier one
 */
export function joinStatements(
  stated: readonly MinimizeStatement[],
  coordinate: string,
  category: string | undefined,
): Minimization | undefined {
  if (stated.length === 0) return undefined;
  const statements = [...new Map(stated.map((each) => [meaningOf(each), each] as const)).values()];
  if (statements.length > MAX_STATEMENTS) refuse(`more than ${MAX_STATEMENTS} levels`);
  const levels = new Set<string | undefined>();
  for (const { level } of statements) {
    if (levels.has(level)) refuse(level === undefined ? TWO_DEFAULTS : `level "${level}" is stated twice`);
    levels.add(level);
  }
  for (const [index, statement] of statements.entries()) {
    const next = statements[index + 1];
    if (next === undefined) break;
    const comparison = compareStrategies(statement, next);
    // The same again is less where scopes lift the one before.
    if (comparison === 'weaker' || (comparison === 'equal' && statement.unless.length === 0)) {
      refuse(`${nameOf(next)} must leave less than ${nameOf(statement)}, which stands before it`);
    }
  }
  if (statements.filter(({ to }) => to === 'PSEUDONYMIZE').length > 1) {
    refuse('only one of its levels can be PSEUDONYMIZE');
  }
  // Without it, rows would be returned in the type of a statistic.
  if (statements.length > 1 && statements.some(({ to }) => to === 'AGGREGATE')) {
    refuse('AGGREGATE is the only statement of its field');
  }
  return { coordinate, category, statements };

  function refuse(problem: string): never {
    throw new DirectiveError('INVALID_RULE', problem, coordinate);
  }
}

/** The same for two statements that say the same in other words. */
function meaningOf(statement: MinimizeStatement): string {
  return JSON.stringify({ ...statement, unless: minimal(statement.unless) });
}

/** Comparing each with each is quadratic, so a list that nobody writes by hand is only sorted. */
const MAX_COMPARED = 64;

/** The alternatives without those that another one includes: equal for all that are met by the same delegations. */
function minimal(alternatives: Alternatives): Alternatives {
  const sorted = alternatives.map((names) => [...new Set(names)].sort());
  const includes = (one: readonly string[], other: readonly string[]): boolean =>
    other.length < one.length && other.every((name) => one.includes(name));
  const kept =
    sorted.length > MAX_COMPARED
      ? sorted
      : sorted.filter((one) => !sorted.some((other) => includes(one, other)));
  return [...new Map(kept.map((names) => [JSON.stringify(names), names] as const))]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([, names]) => names);
}

const TWO_DEFAULTS = '@minimize is stated twice; give all but one of them a "level"';

function nameOf({ level }: MinimizeStatement): string {
  return level === undefined ? 'the one without a level' : `level "${level}"`;
}

/** What the field leaves by default; undefined if that is the whole value. */
export function defaultStatement({ statements }: Minimization): MinimizeStatement | undefined {
  return statements.find(({ level }) => level === undefined);
}

/** Names of the levels, from most detail to least. */
export function levelNames({ statements }: Minimization): readonly string[] {
  return statements.flatMap(({ level }) => level ?? []);
}

/** The scopes that give the whole value of a field to those who get its default. */
export function liftingScopes(minimization: Minimization | undefined): Alternatives {
  if (minimization === undefined) return [];
  return defaultStatement(minimization)?.unless ?? [];
}

/**
 * Decides how much detail of a field a delegation gets: the last statement that applies. The default applies unless the
 * delegation is exempt from it, and a level if it is in force. So the strictest wins, and a scope lifts only the default.
 *
 * @param delegation undefined for an anonymous caller
 * @returns undefined: the whole value
 */
export function statementInForce(
  minimization: Minimization,
  delegation: Delegation | undefined,
): MinimizeStatement | undefined {
  const { statements } = minimization;
  const isInForce = levelsInForce(minimization, delegation);
  for (let index = statements.length - 1; index >= 0; index -= 1) {
    const statement = statements[index];
    if (statement === undefined) continue;
    const applies =
      statement.level === undefined
        ? !isExemptFromMinimize(statement.unless, delegation)
        : isInForce(statement.level);
    if (applies) return statement.to === 'KEEP' ? undefined : statement;
  }
  return undefined;
}

/** Whether a level of this field is in force: for the field itself, or for its category. */
function levelsInForce(
  minimization: Minimization,
  delegation: Delegation | undefined,
): (level: string) => boolean {
  const levels = delegation?.detail?.levels;
  if (levels === undefined) return () => false;
  if (levels.get(EVERYTHING)?.has(EVERY_LEVEL) === true) return () => true;
  const ofField = levels.get(minimization.coordinate);
  const { category } = minimization;
  const ofCategory = category === undefined ? undefined : levels.get(category);
  if (ofCategory?.has(EVERY_LEVEL) === true) return () => true;
  const known = levelNames(minimization);
  // A level that the field does not have was meant to tighten it, and nobody knows how far. `*` is one as well.
  if (ofField !== undefined && [...ofField].some((level) => !known.includes(level))) return () => true;
  return (level) => ofField?.has(level) === true || ofCategory?.has(level) === true;
}

/**
 * Whether a delegation is exempt from what a field leaves by default: it holds one alternative of `unless`, and nothing says
 * that no scope lifts.
 */
export function isExemptFromMinimize(unless: Alternatives, delegation: Delegation | undefined): boolean {
  if (delegation === undefined || doesNothingLift(delegation)) return false;
  return holdsOne(unless, delegation.scopes);
}

function doesNothingLift({ consent, detail }: Delegation): boolean {
  return consent?.detail === 'minimal' || detail?.nothingLifts === true;
}

/**
 * The scopes with any of which a caller would get more of a field than now; empty if no scope gives more: a level is in force
 * that is stricter than the default, or nothing lifts for this delegation.
 *
 * @param delegation undefined for an anonymous caller
 */
export function liftedBy(minimization: Minimization, delegation: Delegation | undefined): Alternatives {
  const statement = statementInForce(minimization, delegation);
  if (statement?.level !== undefined || (delegation !== undefined && doesNothingLift(delegation))) return [];
  return statement?.unless ?? [];
}
