import type { InLanguages, Manifest, ManifestField } from '@behalf/policy';
import type { DetailInForce } from '@behalf/directives';
import { EVERY_LEVEL, EVERYTHING, withoutUndefined } from '@behalf/directives/internal';
import type { AskingLanguage } from '../language/languages.js';
import type { MeaningGroup, ShownField, ShownText } from '../pages/meaning.js';
import type { ConsentMessages } from '../pages/messages/index.js';

/**
 * What a scope means today: the fields that it opens, in groups by category of personal data, in the order of the policy. Fields
 * that only lead to others say nothing of their own, and are omitted.
 *
 * @param limits what the policy's rules leave of the application's access, whatever the person chooses
 */
export function meaningOf(
  { manifest, messages, tag }: Pick<AskingLanguage, 'manifest' | 'messages' | 'tag'>,
  scope: string,
  limits?: DetailInForce,
): readonly MeaningGroup[] {
  const fields = manifest.scopes.find(({ name }) => name === scope)?.fields.filter(saysSomething) ?? [];
  const byCategory = new Map<string | undefined, ShownField[]>(
    manifest.categories.map(({ name }) => [name, []]),
  );
  const changes: ShownField[] = [];
  const others: ShownField[] = [];
  for (const field of fields) {
    const shown = shownField(field, manifest, { limits, tag, words: messages.consent });
    const group = byCategory.get(field.category);
    if (group !== undefined) group.push(shown);
    else if (isChange(field)) changes.push(shown);
    // Numbers, bookmarks and the like are described for developers, in one language.
    else others.push({ coordinate: field.coordinate });
  }
  const groups = manifest.categories.map(({ name, sentences }): MeaningGroup => ({
    heading: textIn(sentences, manifest, tag) ?? { text: name },
    fields: byCategory.get(name) ?? [],
  }));
  return [
    { heading: { text: messages.consent.changes }, fields: changes },
    ...groups,
    { heading: { text: messages.consent.otherData }, fields: others },
  ].filter(({ fields: of }) => of.length > 0);
}

/** A change has a meaning of its own, whatever it returns. */
function saysSomething(field: ManifestField): boolean {
  return field.isLeaf || isChange(field);
}

function isChange({ coordinate }: ManifestField): boolean {
  return coordinate.startsWith('Mutation.');
}

function shownField(field: ManifestField, manifest: Manifest, { limits, tag, words }: Showing): ShownField {
  const { coordinate, descriptions, gives, otherScopes, suffices } = field;
  const detail = detailNote(field, limits, words);
  // What lifts a default says so in its sentence already, and so does what it lifts.
  const note =
    suffices || gives === 'lifted'
      ? detail
      : [words.together(otherSentence(otherScopes, manifest, tag)), detail].filter(Boolean).join(', ');
  return withoutUndefined({ coordinate, text: textIn(descriptions, manifest, tag), note });
}

interface Showing {
  readonly limits: DetailInForce | undefined;
  readonly tag: string;
  readonly words: ConsentMessages;
}

/** How much of a field: by default, in full where the scope lifts that, or less by the policy's rules. */
function detailNote(
  field: ManifestField,
  limits: DetailInForce | undefined,
  words: ConsentMessages,
): string | undefined {
  const { byDefault, gives, levels } = field;
  const isLifted = gives === 'lifted' && limits?.nothingLifts !== true;
  const inForce = levels.findLastIndex(({ name }) => isLevelInForce(field, name, limits));
  const level = levels[inForce];
  const byLevel =
    level === undefined || level.strategy === 'KEEP' ? undefined : leftIn(words, level.strategy);
  // The last statement that applies decides, and the default stands behind the levels that leave more.
  if (byDefault === undefined || isLifted) return byLevel ?? (isLifted ? words.inFull : undefined);
  return inForce >= byDefault.levelsBefore ? byLevel : leftIn(words, byDefault.strategy);
}

function isLevelInForce(
  { category, coordinate }: ManifestField,
  level: string,
  limits: DetailInForce | undefined,
): boolean {
  return [coordinate, category ?? coordinate, EVERYTHING].some((name) => {
    const names = limits?.levels?.get(name);
    return names?.has(level) === true || names?.has(EVERY_LEVEL) === true;
  });
}

/** What the one other scope says; undefined if there are several, of which any might do. */
function otherSentence(others: readonly string[], manifest: Manifest, tag: string): string | undefined {
  const [only, ...more] = others;
  if (only === undefined || more.length > 0) return undefined;
  const scope = manifest.scopes.find(({ name }) => name === only);
  return scope === undefined ? undefined : textIn(scope.sentences, manifest, tag)?.text;
}

/** In words, what a strategy leaves. */
export function leftIn({ left }: ConsentMessages, strategy: string): string | undefined {
  return new Map(Object.entries(left)).get(strategy);
}

/** In the language of the page, or else in the policy's, and marked as such. */
export function textIn(texts: InLanguages, { languages }: Manifest, tag: string): ShownText | undefined {
  const byLanguage = new Map(Object.entries(texts));
  const text = byLanguage.get(tag);
  if (text !== undefined) return { text };
  const [own = ''] = languages;
  const fallback = byLanguage.get(own);
  return fallback === undefined ? undefined : { text: fallback, language: own };
}
