import { levelNames, liftingScopes, RuleTable, withoutUndefined } from '@behalf/directives/internal';
import { parse } from 'graphql';
import { compareDetails } from './compare-details.js';
import type { FieldDetail, PolicyFinding, PolicyFindingKind, SchemaVocabulary } from './findings.js';
import type { Policy } from './policy.js';

/**
 * Reads the names that a supergraph's rules use, as {@link comparePolicyWithSchema} and the authority's option `vocabulary` want them.
 *
 * @param supergraphSdl the composed supergraph
 * @throws DirectiveError for a rule that cannot be read, GraphQLError for a text that is not SDL
 *
 * @example
 * ```ts
 * import { readVocabulary } from '@behalf/policy';
 * import { readFileSync } from 'node:fs';
 *
 * const vocabulary = readVocabulary(readFileSync('supergraph.graphql', 'utf8'));
 * console.log([...vocabulary.scopes.keys()]);
 * ```
 */
export function readVocabulary(supergraphSdl: string): SchemaVocabulary {
  return vocabularyOf(new RuleTable(parse(supergraphSdl), { coverage: 'open' }));
}

/**
 * Collects the names from the rules of types and fields, including the `unless` scopes of `@minimize`. {@link readVocabulary} does so
 * from the text of a supergraph.
 *
 * @example
 * ```ts
 * import { inspectSupergraph } from '@behalf/gateway/tools';
 * import { vocabularyOf } from '@behalf/policy';
 * import { readFileSync } from 'node:fs';
 *
 * const { rules } = inspectSupergraph(readFileSync('supergraph.graphql', 'utf8'), 'required');
 * console.log([...vocabularyOf(rules).scopes.keys()]);
 * ```
 */
export function vocabularyOf(rules: RuleTable): SchemaVocabulary {
  const scopes = new Map<string, Set<string>>();
  const purposes = new Map<string, Set<string>>();
  const details = new Map<string, FieldDetail>();
  const note = (into: Map<string, Set<string>>, names: readonly string[], coordinate: string): void => {
    for (const name of names) {
      const known = into.get(name);
      if (known === undefined) into.set(name, new Set([coordinate]));
      else known.add(coordinate);
    }
  };
  for (const type of rules.allTypes()) {
    note(scopes, type.own.scopes.flat(2), type.name);
    note(scopes, type.subject?.unless.flat() ?? [], type.name);
    note(purposes, type.own.purposes.flat(), type.name);
    for (const field of type.fields.values()) {
      note(scopes, field.own.scopes.flat(2), field.coordinate);
      note(scopes, liftingScopes(field.minimization).flat(), field.coordinate);
      note(purposes, field.own.purposes.flat(), field.coordinate);
      const levels = field.minimization === undefined ? [] : levelNames(field.minimization);
      // An interface answers through its implementers, and it states no levels.
      const isObject = type.kind === 'object';
      if (levels.length > 0 || (isObject && field.personalData !== undefined))
        details.set(field.coordinate, withoutUndefined({ category: field.personalData, levels }));
    }
  }
  return { scopes: toLists(scopes), purposes: toLists(purposes), details };
}

function toLists(sets: ReadonlyMap<string, ReadonlySet<string>>): ReadonlyMap<string, readonly string[]> {
  return new Map([...sets].map(([name, coordinates]) => [name, [...coordinates]]));
}

/**
 * Compares in both directions, sorted by kind and name. A purpose that no rule names is only a warning, because people consent to
 * purposes that no field depends on. So is a deprecated scope that the schema no longer uses.
 *
 * @example
 * ```ts
 * import { comparePolicyWithSchema, readPolicy, readVocabulary } from '@behalf/policy';
 * import { readFileSync } from 'node:fs';
 *
 * const policy = await readPolicy('policy.yaml');
 * const vocabulary = readVocabulary(readFileSync('supergraph.graphql', 'utf8'));
 * for (const { severity, kind, name } of comparePolicyWithSchema(policy, vocabulary))
 *   console.log(`${severity}: ${kind}: ${name}`);
 * ```
 */
export function comparePolicyWithSchema(
  policy: Policy,
  vocabulary: SchemaVocabulary,
): readonly PolicyFinding[] {
  const findings: PolicyFinding[] = [];
  for (const [name, coordinates] of vocabulary.scopes) {
    const scope = policy.scopes.get(name);
    if (scope === undefined) {
      findings.push({ kind: 'scope-not-in-policy', severity: 'error', name, coordinates });
    } else if (scope.deprecated !== undefined) {
      const { replacedBy = [] } = scope.deprecated;
      findings.push({
        kind: 'deprecated-scope-required',
        severity: 'warning',
        name,
        coordinates,
        replacedBy,
      });
    }
  }
  for (const { name, deprecated, outsideSchema } of policy.scopes.values()) {
    if (vocabulary.scopes.has(name) || outsideSchema === true) continue;
    const severity = deprecated === undefined ? 'error' : 'warning';
    findings.push({ kind: 'scope-not-in-schema', severity, name, coordinates: [] });
  }
  for (const [name, coordinates] of vocabulary.purposes) {
    if (policy.purposes.has(name)) continue;
    findings.push({ kind: 'purpose-not-in-policy', severity: 'error', name, coordinates });
  }
  for (const { name } of policy.purposes.values()) {
    if (vocabulary.purposes.has(name)) continue;
    findings.push({ kind: 'purpose-not-in-schema', severity: 'warning', name, coordinates: [] });
  }
  findings.push(...compareDetails(policy, vocabulary.details));
  return findings.sort((a, b) => compareText(a.kind, b.kind) || compareText(a.name, b.name));
}

/**
 * The errors among the findings, in one line; undefined if there are none.
 *
 * @example
 * ```ts
 * import { comparePolicyWithSchema, describeMismatch, type Policy, type SchemaVocabulary } from '@behalf/policy';
 *
 * export function refuseMismatch(policy: Policy, vocabulary: SchemaVocabulary): void {
 *   const mismatch = describeMismatch(comparePolicyWithSchema(policy, vocabulary));
 *   if (mismatch !== undefined) throw new Error(mismatch);
 * }
 * ```
 */
export function describeMismatch(findings: readonly PolicyFinding[]): string | undefined {
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return undefined;
  const namesOf = (kind: PolicyFindingKind): string =>
    errors
      .filter((finding) => finding.kind === kind)
      .map(({ name }) => name)
      .join(', ');
  const coordinatesOf = (kind: PolicyFindingKind): string =>
    errors
      .filter((finding) => finding.kind === kind)
      .flatMap(({ name, coordinates }) => coordinates.map((coordinate) => `${coordinate} (${name})`))
      .join(', ');
  const parts: readonly (readonly [string, string])[] = [
    ['scopes that the schema uses and the policy lacks', namesOf('scope-not-in-policy')],
    ['scopes that the policy has and the schema does not use', namesOf('scope-not-in-schema')],
    ['purposes that the schema uses and the policy lacks', namesOf('purpose-not-in-policy')],
    ['fields of a category that do not state its first level', coordinatesOf('field-without-level')],
    [
      'levels of fields that the policy limits to and the schema does not have',
      namesOf('level-not-in-schema'),
    ],
  ];
  return parts
    .filter(([, names]) => names !== '')
    .map(([what, names]) => `${what}: ${names}`)
    .join('; ');
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
