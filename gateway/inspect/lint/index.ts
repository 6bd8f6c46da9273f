import { type RuleTable, withoutUndefined } from '@behalf/directives/internal';
import type { Policy } from '@behalf/policy';
import { checkLintInput } from '../check-input.js';
import { checkFederation } from '../protection.js';
import { inspectSupergraph, whyNotServed } from '../supergraph.js';
import { checkFilters, checkOwnFilters, checkSharedFilters } from './filters.js';
import { FINDINGS } from './finding.js';
import type { Finding, Found } from './finding.js';
import { checkKeys } from './keys.js';
import {
  checkCoverage,
  checkImplementers,
  checkInterfaceRules,
  checkSubjects,
  checkWrittenRules,
} from './rules.js';
import { checkShared } from './shared.js';
import { readLintSubgraph } from './subgraph.js';
import type { LintSource, LintSubgraph } from './subgraph.js';
import { checkTranslations, type LintTranslation } from './translations.js';
import { checkVocabulary } from './vocabulary.js';

export { FINDINGS, type Finding, type FindingCode, type Severity } from './finding.js';
export type { LintSource } from './subgraph.js';
export type { LintTranslation } from './translations.js';

/** The subject of {@link lint}. */
export interface LintInput {
  /** Empty when only the supergraph is known. */
  readonly subgraphs: readonly LintSource[];
  /** The supergraph that they compose to, or why they do not compose. */
  readonly supergraph: string | { readonly failures: readonly string[] };
  readonly policy: Policy | undefined;
  /** Translations of `policy`, which must then be given. Default: none. */
  readonly translations?: readonly LintTranslation[] | undefined;
  /** `YYYY-MM-DD`, UTC; decides whether a deprecated scope has expired. */
  readonly today: string;
}

/**
 * Finds mistakes in the rules of a federation. Each subgraph is checked as it is written and as it enforces its own rules, the
 * composed supergraph as the gateway enforces it.
 *
 * @returns by file and line
 * @throws {ConfigurationError} for an argument that cannot be used, with its path
 * @throws {SupergraphError} when the supergraph cannot be read
 *
 * @example
 * ```ts
 * import { composeSupergraph, lint, readSupergraphConfig } from '@behalf/gateway/tools';
 * import { readPolicy } from '@behalf/policy';
 *
 * const subgraphs = await readSupergraphConfig('supergraph.yaml');
 * const findings = lint({
 *   subgraphs,
 *   supergraph: composeSupergraph(subgraphs),
 *   policy: await readPolicy('policy.yaml'),
 *   today: new Date().toISOString().slice(0, 10),
 * });
 * for (const { severity, code, message } of findings) console.log(`${severity} ${code}: ${message}`);
 * ```
 */
export function lint(input: LintInput): readonly Finding[] {
  checkLintInput(input);
  const { subgraphs: sources, supergraph, policy, today, translations = [] } = input;
  const subgraphs: LintSubgraph[] = [];
  for (const source of sources) {
    try {
      subgraphs.push(readLintSubgraph(source));
    } catch {
      // Composition failed for the same reason, which is reported already.
      if (typeof supergraph === 'string')
        throw new Error(`subgraph "${source.name}" composes and cannot be read`);
    }
  }
  const found: Found[] = [];
  for (const { name, written, enforced, external } of subgraphs) {
    const here = [
      ...checkCoverage(enforced, (coordinate) => !external.has(coordinate)),
      ...checkWrittenRules(written),
      ...checkSubjects(written),
      ...checkOwnFilters(enforced),
      ...(policy === undefined ? [] : checkNames(written, policy, today)),
    ];
    found.push(...here.map((each) => ({ ...each, subgraph: name })));
  }
  if (typeof supergraph === 'string') found.push(...checkWhole(supergraph, subgraphs, policy, today));
  else found.push(...supergraph.failures.map((message): Found => ({ code: 'COMPOSITION_FAILED', message })));
  if (policy !== undefined) {
    const rules = typeof supergraph === 'string' ? inspectSupergraph(supergraph, 'open').rules : undefined;
    found.push(...checkTranslations(translations, policy, rules));
  }
  return finish(found, subgraphs);
}

function checkWhole(
  sdl: string,
  subgraphs: readonly LintSubgraph[],
  policy: Policy | undefined,
  today: string,
): Found[] {
  const whole = inspectSupergraph(sdl, 'required');
  const composed = inspectSupergraph(sdl, 'open').rules;
  const found: Found[] = [
    ...whyNotServed(sdl).map((message): Found => ({ code: 'SUPERGRAPH_NOT_SERVED', message })),
    ...checkFederation(whole.document, composed, subgraphs),
    ...checkKeys({ ...whole, rules: composed }),
    ...checkImplementers(composed),
    ...checkShared(subgraphs, composed),
    ...checkSharedFilters(subgraphs, composed),
    ...whereWritten(checkFilters(whole.apiSchema, composed), subgraphs),
    ...subgraphs.flatMap(({ name, written }) =>
      checkInterfaceRules(written, composed).map((each) => ({ ...each, subgraph: name })),
    ),
  ];
  if (policy !== undefined) found.push(...checkVocabulary(composed, policy, today).filter(isUnusedName));
  if (subgraphs.length > 0) return found;
  return [
    ...found,
    ...checkCoverage(whole.rules, () => true),
    ...checkWrittenRules(composed, true),
    ...checkSubjects(composed),
    ...(policy === undefined ? [] : checkNames(composed, policy, today)),
  ];
}

/** A finding about the supergraph's input, in each subgraph that has it. */
function whereWritten(found: readonly Found[], subgraphs: readonly LintSubgraph[]): Found[] {
  return found.flatMap((each) => {
    const { coordinate = '' } = each;
    const having = subgraphs.filter(({ lines }) => lines.has(coordinate));
    return having.length === 0 ? [each] : having.map(({ name }) => ({ ...each, subgraph: name }));
  });
}

/** Findings about names that can be shown where the name is used. */
function checkNames(rules: RuleTable, policy: Policy, today: string): Found[] {
  return checkVocabulary(rules, policy, today).filter((each) => !isUnusedName(each));
}

const UNUSED_NAMES: ReadonlySet<Found['code']> = new Set([
  'SCOPE_UNUSED',
  'PURPOSE_UNUSED',
  'CATEGORY_UNUSED',
  'LEVEL_UNKNOWN',
]);

/** Only the whole federation shows that a name is unused. */
function isUnusedName({ code }: Found): boolean {
  return UNUSED_NAMES.has(code);
}

const ORDER = ['error', 'warning', 'info'] as const;

function finish(found: readonly Found[], subgraphs: readonly LintSubgraph[]): readonly Finding[] {
  const byName = new Map(subgraphs.map((subgraph) => [subgraph.name, subgraph]));
  return found
    .map((each): Finding => {
      const subgraph = byName.get(each.subgraph ?? '');
      const line = each.coordinate === undefined ? undefined : subgraph?.lines.get(each.coordinate);
      return withoutUndefined({
        ...each,
        ...FINDINGS[each.code],
        file: each.file ?? subgraph?.file,
        line,
      });
    })
    .sort(
      (a, b) =>
        compareText(a.file ?? a.subgraph ?? '', b.file ?? b.subgraph ?? '') ||
        (a.line ?? 0) - (b.line ?? 0) ||
        ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity) ||
        compareText(a.code, b.code),
    );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
