import { canonicalLanguage } from './language.js';
import { PolicyError } from './errors.js';
import type { PolicyErrorCode } from './errors.js';
import { shapeCheck } from './shape.js';
import { parseYamlFile, readTextFile, requireKeys } from './text-file.js';
import schema from './translation-schema.json' with { type: 'json' };

/** The sentences of a policy in another language, by the names of the policy. */
export interface Translation {
  /** BCP 47. */
  readonly language: string;
  readonly scopes: ReadonlyMap<string, string>;
  readonly purposes: ReadonlyMap<string, string>;
  readonly categories: ReadonlyMap<string, TranslatedCategory>;
  /** Descriptions of fields, by schema coordinate (`Type.field`). They need not be complete. */
  readonly fields: ReadonlyMap<string, string>;
}

/** A category of personal data in another language. One entry of {@link Translation.categories}. */
export interface TranslatedCategory {
  readonly sentence: string;
  readonly levels: ReadonlyMap<string, string>;
}

/** The file as written; `translation-schema.json` describes every key. */
interface TranslationFile {
  readonly language: string;
  readonly scopes: Readonly<Record<string, string>>;
  readonly purposes?: Readonly<Record<string, string>>;
  readonly categories?: Readonly<Record<string, CategoryEntry>>;
  readonly fields?: Readonly<Record<string, string>>;
}

interface CategoryEntry {
  readonly sentence: string;
  readonly levels?: Readonly<Record<string, string>>;
}

/**
 * Reads a translation (YAML or JSON) and checks its shape. {@link readTranslations} also compares it with the policy.
 *
 * @throws {PolicyError} `FILE_UNREADABLE`, `POLICY_UNREADABLE`, `POLICY_INVALID`; the message begins with the file
 *
 * @example
 * ```ts
 * import { readTranslation } from '@behalf/policy';
 *
 * const { language, scopes } = await readTranslation('policy.de.yaml');
 * console.log(language, scopes.get('accounts:read'));
 * ```
 */
export async function readTranslation(file: string): Promise<Translation> {
  const refuse = (code: PolicyErrorCode) => (problem: string) => new PolicyError(code, '', problem);
  const text = await readTextFile(file, refuse('FILE_UNREADABLE'));
  const content = parseYamlFile(text, file, refuse('POLICY_UNREADABLE'));
  return checkTranslation(requireKeys(content, file, refuse('POLICY_INVALID')), file);
}

const checkShape = shapeCheck(schema, { ownProperties: true });

/**
 * Checks the parsed content of a translation.
 *
 * @param file the file that it was read from, for messages
 * @throws {PolicyError} `POLICY_INVALID`
 *
 * @example
 * ```ts
 * import { checkTranslation } from '@behalf/policy';
 *
 * const german = checkTranslation({ language: 'de', scopes: { 'accounts:read': 'Sieh deine Konten' } });
 * console.log(german.language);
 * ```
 */
export function checkTranslation(value: unknown, file?: string): Translation {
  const found = checkShape(value);
  if (found !== undefined) throw new PolicyError('POLICY_INVALID', found.path, found.problem, file);
  const { language, scopes, purposes, categories = {}, fields } = value as TranslationFile;
  // From here on, names are only keys of maps, so `__proto__` is a name like any other.
  return {
    language: canonicalLanguage(language),
    scopes: mapOf(scopes),
    purposes: mapOf(purposes),
    categories: new Map(
      Object.entries(categories).map(([name, { levels, sentence }]) => [
        name,
        { sentence, levels: mapOf(levels) },
      ]),
    ),
    fields: mapOf(fields),
  };
}

function mapOf(entries: Readonly<Record<string, string>> | undefined): ReadonlyMap<string, string> {
  return new Map(Object.entries(entries ?? {}));
}
