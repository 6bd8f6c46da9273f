import {
  comparePolicyWithSchema,
  describeMismatch,
  type InLanguages,
  type LevelDetail,
  type Manifest,
  type ManifestField,
  manifestOf,
  type ManifestScope,
  readPolicy,
  readTranslations,
  readVocabulary,
} from '@behalf/policy';
import { printable } from '@behalf/gateway/printable';
import { CommandError } from '../command-error.js';
import { quantity } from '../quantity.js';
import { readSupergraphSdl } from '../read-supergraph.js';

export interface ManifestOptions {
  readonly supergraph: string;
  readonly policy: string;
  readonly translation?: readonly string[] | undefined;
  /** BCP 47. */
  readonly language?: string | undefined;
  readonly scope?: string | undefined;
  readonly format: 'human' | 'json';
}

/**
 * `behalf manifest`: prints what each scope means, as the consent page says it.
 *
 * @returns 0 if policy and schema fit together, else 1
 * @throws CommandError `USAGE`, `FILE_UNREADABLE`
 * @throws PolicyError, ComposeError
 */
export async function printManifest(options: ManifestOptions, print: (line: string) => void): Promise<0 | 1> {
  const policy = await readPolicy(options.policy);
  const translations = await readTranslations(options.translation ?? [], policy);
  const vocabulary = readVocabulary(await readSupergraphSdl(options.supergraph));
  const manifest = manifestOf(policy, translations, vocabulary);
  const mismatch = describeMismatch(comparePolicyWithSchema(policy, vocabulary));
  if (options.format === 'json')
    print(JSON.stringify({ manifest, mismatch: mismatch ?? null }, undefined, 2));
  else for (const line of linesOf(manifest, options, mismatch)) print(printable(line));
  return mismatch === undefined ? 0 : 1;
}

function linesOf(
  manifest: Manifest,
  { language = manifest.languages[0] ?? '', scope }: ManifestOptions,
  mismatch: string | undefined,
): readonly string[] {
  if (!manifest.languages.includes(language)) {
    throw new CommandError('USAGE', `--language must be one of ${manifest.languages.join(', ')}`);
  }
  const scopes = manifest.scopes.filter(({ name }) => scope === undefined || name === scope);
  if (scopes.length === 0) throw new CommandError('USAGE', `the policy has no scope ${String(scope)}`);
  const text = (texts: InLanguages): string => textIn(texts, language, manifest);
  return [
    ...scopes.flatMap((each) => [...scopeLines(each, manifest, text), '']),
    ...(mismatch === undefined ? [] : [`Policy and schema do not fit together: ${mismatch}`]),
    `${quantity(scopes.length, 'scope')}, ${manifest.policyVersion}`,
  ];
}

function scopeLines(
  { access, fields, name, sensitivity, sentences }: ManifestScope,
  manifest: Manifest,
  text: (texts: InLanguages) => string,
): readonly string[] {
  const categories = [...manifest.categories.map((each) => each.name), undefined];
  return [
    `${name}  ${text(sentences)} (${access}, ${sensitivity})`,
    ...categories.flatMap((category) => {
      const ofCategory = fields.filter((field) => field.category === category);
      if (ofCategory.length === 0) return [];
      const { levels = [], sentences: heading = {} } =
        manifest.categories.find((each) => each.name === category) ?? {};
      const choices = levels.map((level) => `${level.name} “${text(level.sentences)}”`);
      return [
        `  ${category === undefined ? 'no category' : `${category}  ${text(heading)}`}${
          choices.length === 0 ? '' : `; levels: ${choices.join(', ')}`
        }`,
        ...ofCategory.map((field) => `    ${fieldLine(field, text)}`),
      ];
    }),
  ];
}

function fieldLine(field: ManifestField, text: (texts: InLanguages) => string): string {
  const { byDefault, coordinate, descriptions, gives, levels, otherScopes, purposes, suffices } = field;
  const parts = [
    gives === 'minimized' && byDefault !== undefined ? inWords(byDefault) : gives === 'lifted' ? 'whole' : '',
    ...(levels.length === 0 ? [] : [levels.map((level) => `${level.name}: ${inWords(level)}`).join(', ')]),
    ...(otherScopes.length === 0 ? [] : [`${suffices ? 'or' : 'with'} ${otherScopes.join(', ')}`]),
    ...(purposes.length === 0 ? [] : [`for ${purposes.join(', ')}`]),
  ].filter((part) => part !== '');
  const description = text(descriptions);
  return `${coordinate}${description === '' ? '' : `  ${description}`}${parts.length === 0 ? '' : `  [${parts.join('; ')}]`}`;
}

/** A hierarchy can have thousands of names. */
const MAX_SHOWN = 60;

function inWords({ parameters = {}, strategy }: Pick<LevelDetail, 'strategy' | 'parameters'>): string {
  const shown = Object.entries(parameters).flatMap(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return text.length > MAX_SHOWN ? [] : [`${name} ${text}`];
  });
  return [strategy, ...shown].join(' ');
}

/** Or else in the policy's language. */
function textIn(texts: InLanguages, language: string, { languages }: Manifest): string {
  const byLanguage = new Map(Object.entries(texts));
  return byLanguage.get(language) ?? byLanguage.get(languages[0] ?? '') ?? '';
}
