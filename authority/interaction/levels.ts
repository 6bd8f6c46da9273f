import type { ConsentLevels } from '@behalf/directives';
import type { FieldVocabulary, Manifest, ManifestCategory } from '@behalf/policy';
import { levelsUpTo } from '@behalf/policy/internal';
import { joinLevels } from '../consent/levels.js';
import type { AskingLanguage } from '../language/languages.js';
import type { CategoryLevels, LevelChoice } from '../pages/meaning.js';
import { textIn } from './meaning.js';

/** Nothing beyond what the schema and the policy say. */
const AS_ALLOWED = '';

/** What is asked for and what was chosen before, by data category or field. */
export interface LevelsSoFar {
  /** The application needs no more detail than this. */
  readonly asked: ConsentLevels;
  /** In the consent in force. */
  readonly standing: ConsentLevels;
}

/**
 * The choices of detail for the kinds of data that the offered scopes open. Where the application asks for less, there is nothing
 * above that to choose. What was chosen before is preselected.
 */
export function levelChoices(
  { fields, manifest, messages, tag }: AskingLanguage,
  scopes: readonly string[],
  soFar: LevelsSoFar,
): readonly CategoryLevels[] {
  const opened = openedFields(manifest, scopes);
  const words = messages.consent;
  return manifest.categories.flatMap((category): CategoryLevels[] => {
    const reached = category.fields.filter((coordinate) => opened.has(coordinate));
    if (category.levels.length === 0 || reached.length === 0) return [];
    const labels = category.levels.map(({ name, sentences }) => ({
      value: name,
      label: textIn(sentences, manifest, tag)?.text ?? name,
    }));
    const choice = (name: string, most: string): Omit<LevelChoice, 'text'> => {
      const atMost = lastOf(category, soFar.asked, name);
      const options = atMost < 0 ? [{ value: AS_ALLOWED, label: most }, ...labels] : labels.slice(atMost);
      const before = category.levels[lastOf(category, soFar.standing, name)]?.name ?? AS_ALLOWED;
      const chosen = options.find(({ value }) => value === before) ?? options[0];
      return { name, options, chosen: chosen?.value ?? AS_ALLOWED };
    };
    return [
      {
        ...choice(category.name, words.asAllowed),
        text: textIn(category.sentences, manifest, tag),
        fields: reached.map((coordinate) => ({
          ...choice(coordinate, words.asAbove),
          text: descriptionOf(fields, opened, coordinate, { manifest, tag }),
        })),
      },
    ];
  });
}

/** Of the levels chosen for a category or a field, the place of the strictest in the category's order; -1 without any. */
function lastOf({ levels }: ManifestCategory, chosen: ConsentLevels, name: string): number {
  const of = new Map(Object.entries(chosen)).get(name) ?? [];
  return levels.findLastIndex((level) => of.includes(level.name));
}

type Opened = ReadonlyMap<string, Manifest['scopes'][number]['fields'][number]>;

function openedFields({ scopes }: Manifest, names: readonly string[]): Opened {
  return new Map(
    scopes.flatMap(({ fields, name }) =>
      names.includes(name) ? fields.map((field) => [field.coordinate, field] as const) : [],
    ),
  );
}

function descriptionOf(
  fields: ReadonlyMap<string, FieldVocabulary>,
  opened: Opened,
  coordinate: string,
  { manifest, tag }: { readonly manifest: Manifest; readonly tag: string },
): LevelChoice['text'] {
  if (!fields.has(coordinate)) return undefined;
  return textIn(opened.get(coordinate)?.descriptions ?? {}, manifest, tag);
}

/**
 * The levels that a form chooses, with those before them. What was not on the page stays as it was asked for and agreed to.
 *
 * @returns undefined if it chooses what was not offered
 */
export function readLevelChoices(
  form: URLSearchParams,
  { fields, policy }: AskingLanguage,
  offered: readonly CategoryLevels[],
  { asked, standing }: LevelsSoFar,
): ConsentLevels | undefined {
  const choices = offered.flatMap((category) => [category, ...category.fields]);
  const shown = new Set(choices.map(({ name }) => name));
  let levels = joinLevels(asked, without(standing, shown));
  for (const { chosen, name, options } of choices) {
    // A browser sends every field of the form; one that is absent is as it was preselected.
    const value = form.get(`level:${name}`) ?? chosen;
    if (!options.some((option) => option.value === value)) return undefined;
    if (value === AS_ALLOWED) continue;
    const all = levelsUpTo(policy, fields, name, value);
    if (all === undefined) return undefined;
    levels = joinLevels(levels, { [name]: all });
  }
  return levels;
}

function without(levels: ConsentLevels, names: ReadonlySet<string>): ConsentLevels {
  return Object.fromEntries(Object.entries(levels).filter(([name]) => !names.has(name)));
}

/** The chosen levels in words, for the record of what was agreed: `Where you live: Only the city`. */
export function levelsInWords(form: URLSearchParams, offered: readonly CategoryLevels[]): readonly string[] {
  return offered
    .flatMap((category) => [category, ...category.fields])
    .flatMap(({ chosen, name, options, text }) => {
      const value = form.get(`level:${name}`) ?? chosen;
      const option = options.find((each) => each.value === value);
      return option === undefined || value === AS_ALLOWED ? [] : [`${text?.text ?? name}: ${option.label}`];
    });
}
