import type { FieldRule, RuleTable } from '@behalf/directives/internal';
import { nearest } from '@behalf/directives/internal';
import { compareTranslation } from '@behalf/policy';
import type { Policy, Translation } from '@behalf/policy';
import type { Found } from './finding.js';
import { isOwnType } from './rules.js';

/** A translation of the policy. */
export interface LintTranslation {
  /** Where the findings are reported. */
  readonly file: string;
  /** `await readTranslation(file)` of `@behalf/policy`. */
  readonly translation: Translation;
}

/**
 * What an authority refuses in translations, and descriptions that are missing, or of fields that do not exist. People are told about
 * fields with personal data.
 *
 * @param rules of the whole supergraph; undefined if it does not compose
 */
export function checkTranslations(
  translations: readonly LintTranslation[],
  policy: Policy,
  rules: RuleTable | undefined,
): Found[] {
  return translations.flatMap(({ file, translation }, index) => {
    const others = [
      policy.language,
      ...translations.slice(0, index).map((each) => each.translation.language),
    ];
    return [
      ...checkLanguage(translation, others),
      ...checkSentences(translation, policy),
      ...(rules === undefined ? [] : checkFields(translation, rules)),
    ].map((found) => ({ ...found, file }));
  });
}

function checkLanguage({ language }: Translation, others: readonly string[]): Found[] {
  if (!others.includes(language)) return [];
  const message = `"${language}" is the language of the policy, or of another translation, as well`;
  return [{ code: 'TRANSLATION_REPEATED', message }];
}

function checkSentences(translation: Translation, policy: Policy): Found[] {
  return compareTranslation(translation, policy).map(({ kind, path, suggestion }) =>
    kind === 'missing'
      ? { code: 'TRANSLATION_MISSING', message: `${path} is not translated` }
      : { code: 'TRANSLATION_UNKNOWN', message: `the policy has no ${path}${question(suggestion)}` },
  );
}

function checkFields({ fields, language }: Translation, rules: RuleTable): Found[] {
  const known = [...rules.allTypes()]
    .filter(({ name }) => isOwnType(name))
    .flatMap((type) => [...type.fields.values()]);
  const coordinates = known.map(({ coordinate }) => coordinate);
  const exist = new Set(coordinates);
  const unknown = [...fields.keys()].filter((coordinate) => !exist.has(coordinate));
  // The consent page has texts of what may be read, and of what may be changed; other fields it only names.
  const isShown = ({ coordinate, personalData }: FieldRule): boolean =>
    personalData !== undefined || coordinate.startsWith('Mutation.');
  const missing = known.filter((field) => isShown(field) && !fields.has(field.coordinate));
  return [
    ...unknown.map((coordinate): Found => {
      const meant = nearest(coordinate, coordinates);
      const message = `the schema has no field ${coordinate}${question(meant)}`;
      return { code: 'TRANSLATION_FIELD_UNKNOWN', message };
    }),
    ...missing.map(({ coordinate }): Found => {
      const message = `people are told about the field, and there is no description in "${language}"`;
      return { code: 'TRANSLATION_FIELD_MISSING', coordinate, message };
    }),
  ];
}

function question(meant: string | undefined): string {
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}
