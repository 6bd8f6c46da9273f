import { compareTranslation, describeTranslation } from './compare-translation.js';
import { PolicyError } from './errors.js';
import type { Policy } from './policy.js';
import { readTranslation, type Translation } from './translation.js';

/**
 * Reads all translations of a policy. Each is complete, and in a language of its own: a person never sees a page half in one
 * language.
 *
 * @throws {PolicyError} `FILE_UNREADABLE`, `POLICY_UNREADABLE`, `POLICY_INVALID`, `POLICY_CONTRADICTION` for a second file of one
 * language, `TRANSLATION_MISMATCH` for sentences that are missing or superfluous; the message begins with the file
 *
 * @example
 * ```ts
 * import { readPolicy, readTranslations } from '@behalf/policy';
 *
 * const policy = await readPolicy('policy.yaml');
 * const translations = await readTranslations(['policy.de.yaml', 'policy.fr.yaml'], policy);
 * console.log([policy.language, ...translations.map(({ language }) => language)]);
 * ```
 */
export async function readTranslations(
  files: readonly string[],
  policy: Policy,
): Promise<readonly Translation[]> {
  const fileOf = new Map([[policy.language, 'the policy']]);
  const translations: Translation[] = [];
  for (const file of files) {
    const translation = await readTranslation(file);
    const { language } = translation;
    const other = fileOf.get(language);
    if (other !== undefined) {
      throw new PolicyError(
        'POLICY_CONTRADICTION',
        'language',
        `${language} is that of ${other} as well`,
        file,
      );
    }
    const mismatch = describeTranslation(compareTranslation(translation, policy));
    if (mismatch !== undefined) throw new PolicyError('TRANSLATION_MISMATCH', '', mismatch, file);
    fileOf.set(language, file);
    translations.push(translation);
  }
  return translations;
}

/**
 * The policy with the sentences of a translation. Everything else stays, and so does a sentence that the translation lacks.
 *
 * @example
 * ```ts
 * import { readPolicy, readTranslation, translatePolicy } from '@behalf/policy';
 *
 * const german = translatePolicy(await readPolicy('policy.yaml'), await readTranslation('policy.de.yaml'));
 * console.log(german.language, german.scopes.get('accounts:read')?.sentence);
 * ```
 */
export function translatePolicy(policy: Policy, translation: Translation): Policy {
  return {
    ...policy,
    language: translation.language,
    scopes: translated(policy.scopes, translation.scopes),
    purposes: translated(policy.purposes, translation.purposes),
    categories: translatedCategories(policy, translation),
  };
}

function translated<Entry extends { readonly sentence: string }>(
  entries: ReadonlyMap<string, Entry>,
  sentences: ReadonlyMap<string, string>,
): ReadonlyMap<string, Entry> {
  return new Map(
    [...entries].map(([name, entry]) => [
      name,
      { ...entry, sentence: sentences.get(name) ?? entry.sentence },
    ]),
  );
}

function translatedCategories(policy: Policy, translation: Translation): Policy['categories'] {
  return new Map(
    [...policy.categories].map(([name, category]) => {
      const { levels, sentence = category.sentence } = translation.categories.get(name) ?? {};
      return [
        name,
        {
          ...category,
          sentence,
          levels: category.levels.map((level) => ({
            ...level,
            sentence: levels?.get(level.name) ?? level.sentence,
          })),
        },
      ];
    }),
  );
}
