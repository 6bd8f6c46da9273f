import { compareDetails } from './compare-details.js';
import type { PolicyFinding, PolicyFindingKind, SchemaVocabulary } from './findings.js';
import type { Policy } from './policy.js';

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
  findings.push(...compareDetails(policy, vocabulary.fields));
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
    ['fields that state levels in another order than the policy', coordinatesOf('level-order-differs')],
    ['levels that the policy has and no field states', namesOf('level-not-in-schema')],
  ];
  return parts
    .filter(([, names]) => names !== '')
    .map(([what, names]) => `${what}: ${names}`)
    .join('; ');
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
