import { keyPath, nearest } from '@behalf/directives/internal';
import type { Policy } from './policy.js';
import type { Translation } from './translation.js';

/** One difference between a policy and its translation. */
export interface TranslationFinding {
  /** `missing`: the policy has a sentence that is not translated; `unknown`: the policy has none of this name. */
  readonly kind: 'missing' | 'unknown';
  /** The key in the translation, such as `scopes.accounts:read`. */
  readonly path: string;
  /** For an unknown name: the path that was probably meant. */
  readonly suggestion?: string;
}

/** Longer lists are cut in messages: the rest is found by `behalf lint`. */
const MAX_LISTED = 10;

/**
 * Compares the sentences of a translation with those of a policy, in the policy's order. Deprecated scopes count: people are still
 * asked for them. Descriptions of fields are not compared, because the policy has none.
 *
 * @example
 * ```ts
 * import { compareTranslation, readPolicy, readTranslation } from '@behalf/policy';
 *
 * const translation = await readTranslation('policy.de.yaml');
 * for (const { kind, path } of compareTranslation(translation, await readPolicy('policy.yaml')))
 *   console.log(`${kind}: ${path}`);
 * ```
 */
export function compareTranslation(translation: Translation, policy: Policy): readonly TranslationFinding[] {
  return sectionsOf(translation, policy).flatMap(({ path, needed, given }) => {
    const translated = new Set(given);
    const known = new Set(needed);
    const missing = needed.filter((name) => !translated.has(name));
    const superfluous = given.filter((name) => !known.has(name));
    return [
      ...missing.map((name): TranslationFinding => ({ kind: 'missing', path: keyPath(path, name) })),
      ...superfluous.map((name): TranslationFinding => {
        // A misspelt name makes another one missing.
        const meant = nearest(name, missing) ?? nearest(name, needed);
        const suggestion = meant === undefined ? {} : { suggestion: keyPath(path, meant) };
        return { kind: 'unknown', path: keyPath(path, name), ...suggestion };
      }),
    ];
  });
}

/** Names that belong under one key. */
interface Section {
  readonly path: string;
  readonly needed: readonly string[];
  readonly given: readonly string[];
}

function sectionsOf(translation: Translation, policy: Policy): readonly Section[] {
  const sections = (['scopes', 'purposes', 'categories'] as const).map((path) => ({
    path,
    needed: [...policy[path].keys()],
    given: [...translation[path].keys()],
  }));
  const levels = [...policy.categories.values()].flatMap(({ levels: needed, name }) => {
    const given = translation.categories.get(name)?.levels;
    // Of a category that is missing, its name says enough.
    if (given === undefined) return [];
    const path = `${keyPath('categories', name)}.levels`;
    return [{ path, needed: needed.map((level) => level.name), given: [...given.keys()] }];
  });
  return [...sections, ...levels];
}

/**
 * The findings in one line, up to ten of each kind; undefined if there are none.
 *
 * @example
 * ```ts
 * import { compareTranslation, describeTranslation, type Policy, type Translation } from '@behalf/policy';
 *
 * export function refuseIncomplete(translation: Translation, policy: Policy): void {
 *   const problem = describeTranslation(compareTranslation(translation, policy));
 *   if (problem !== undefined) throw new Error(problem);
 * }
 * ```
 */
export function describeTranslation(findings: readonly TranslationFinding[]): string | undefined {
  if (findings.length === 0) return undefined;
  const parts: readonly (readonly [string, readonly TranslationFinding[]])[] = [
    ['sentences of the policy that are not translated', findings.filter(({ kind }) => kind === 'missing')],
    ['names that the policy does not have', findings.filter(({ kind }) => kind === 'unknown')],
  ];
  return parts
    .filter(([, found]) => found.length > 0)
    .map(([what, found]) => `${what}: ${listed(found)}`)
    .join('; ');
}

function listed(found: readonly TranslationFinding[]): string {
  const shown = found
    .slice(0, MAX_LISTED)
    .map(({ path, suggestion }) =>
      suggestion === undefined ? path : `${path} (did you mean ${suggestion}?)`,
    );
  const more = found.length - shown.length;
  return `${shown.join(', ')}${more === 0 ? '' : ` and ${more} more`}`;
}
