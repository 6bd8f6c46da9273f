import type { ConsentLevels } from '@behalf/directives';
import type { Manifest } from '@behalf/policy';
import { levelsUpTo } from '@behalf/policy/internal';
import { joinLevels } from '../consent/levels.js';
import type { AskingLanguage } from '../language/languages.js';
import type { CategoryLevels, LevelChoice } from '../pages/meaning.js';
import { leftIn, textIn } from './meaning.js';

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
  { manifest, messages, tag }: AskingLanguage,
  scopes: readonly string[],
  soFar: LevelsSoFar,
): readonly CategoryLevels[] {
  const opened = openedFields(manifest, scopes);
  const words = messages.consent;
  return manifest.categories.flatMap((category): CategoryLevels[] => {
    const reached = category.fields.filter((coordinate) => opened.has(coordinate));
    if (category.levels.length === 0 || reached.length === 0) return [];
    const ofCategory = category.levels.map(({ name, sentences }) => ({
      value: name,
      label: textIn(sentences, manifest, tag)?.text ?? name,
    }));
    const order = category.levels.map(({ name }) => name);
    const fields = reached.flatMap((coordinate): LevelChoice[] => {
      const field = opened.get(coordinate);
      // What is left of one field is said of that field: its category's sentence is about all of them.
      const ofField = (field?.levels ?? []).flatMap(({ name, strategy }) =>
        strategy === 'KEEP' ? [] : [{ value: name, label: leftIn(words, strategy) ?? name }],
      );
      if (field === undefined || ofField.length === 0) return [];
      const text = textIn(field.descriptions, manifest, tag);
      return [{ ...choiceOf(coordinate, [words.asAbove, ofField], order, soFar), text }];
    });
    const text = textIn(category.sentences, manifest, tag);
    return [{ ...choiceOf(category.name, [words.asAllowed, ofCategory], order, soFar), text, fields }];
  });
}

type Options = LevelChoice['options'];

/** What was asked for is the most, and what was chosen before is preselected. */
function choiceOf(
  name: string,
  [most, levels]: readonly [string, Options],
  order: readonly string[],
  { asked, standing }: LevelsSoFar,
): Omit<LevelChoice, 'text'> {
  const atMost = lastOf(order, asked, name);
  const left = levels.filter(({ value }) => order.indexOf(value) >= atMost);
  const options = atMost < 0 ? [{ value: AS_ALLOWED, label: most }, ...left] : left;
  const before = lastOf(order, standing, name);
  // A field that says nothing new at the level keeps to the one before.
  const chosen = options.findLast(
    ({ value }) => value !== AS_ALLOWED && order.indexOf(value) <= before && before >= 0,
  );
  return { name, options, chosen: (chosen ?? options[0])?.value ?? AS_ALLOWED };
}

/** Of the levels chosen for a category or a field, the place of the strictest in the category's order; -1 without any. */
function lastOf(order: readonly string[], chosen: ConsentLevels, name: string): number {
  const of = new Map(Object.entries(chosen)).get(name) ?? [];
  return order.findLastIndex((level) => of.includes(level));
}

type Opened = ReadonlyMap<string, Manifest['scopes'][number]['fields'][number]>;

function openedFields({ scopes }: Manifest, names: readonly string[]): Opened {
  return new Map(
    scopes.flatMap(({ fields, name }) =>
      names.includes(name) ? fields.map((field) => [field.coordinate, field] as const) : [],
    ),
  );
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
