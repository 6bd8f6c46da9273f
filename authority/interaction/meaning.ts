import type { InLanguages, Manifest, ManifestField } from '@behalf/policy';
import { withoutUndefined } from '@behalf/directives/internal';
import type { AskingLanguage } from '../language/languages.js';
import type { MeaningGroup, ShownField, ShownText } from '../pages/meaning.js';
import type { ConsentMessages } from '../pages/messages/index.js';

/**
 * What a scope means today: the fields that it opens, in groups by category of personal data, in the order of the policy. Fields
 * that only lead to others say nothing of their own, and are omitted.
 */
export function meaningOf(
  { manifest, messages, tag }: Pick<AskingLanguage, 'manifest' | 'messages' | 'tag'>,
  scope: string,
): readonly MeaningGroup[] {
  const fields = manifest.scopes.find(({ name }) => name === scope)?.fields.filter(saysSomething) ?? [];
  const byCategory = new Map<string | undefined, ShownField[]>(
    manifest.categories.map(({ name }) => [name, []]),
  );
  const others: ShownField[] = [];
  for (const field of fields) {
    const shown = shownField(field, manifest, { tag, words: messages.consent });
    (byCategory.get(field.category) ?? others).push(shown);
  }
  const groups = manifest.categories.map(({ name, sentences }): MeaningGroup => ({
    heading: textIn(sentences, manifest, tag) ?? { text: name },
    fields: byCategory.get(name) ?? [],
  }));
  const heading = groups.some(({ fields: of }) => of.length > 0)
    ? { text: messages.consent.otherData }
    : undefined;
  return [...groups, withoutUndefined({ heading, fields: others })].filter(({ fields: of }) => of.length > 0);
}

/** A change has a meaning of its own, whatever it returns. */
function saysSomething({ coordinate, isLeaf }: ManifestField): boolean {
  return isLeaf || coordinate.startsWith('Mutation.');
}

function shownField(
  { byDefault, coordinate, descriptions, gives, suffices }: ManifestField,
  manifest: Manifest,
  { tag, words }: { readonly tag: string; readonly words: ConsentMessages },
): ShownField {
  const detail =
    gives === 'lifted'
      ? words.inFull
      : gives === 'minimized' && byDefault !== undefined
        ? leftIn(words, byDefault.strategy)
        : undefined;
  // What lifts a default says so in its sentence already, and so does what it lifts.
  const note = suffices || gives === 'lifted' ? detail : [words.together, detail].filter(Boolean).join(', ');
  return withoutUndefined({ coordinate, text: textIn(descriptions, manifest, tag), note });
}

/** In words, what a strategy leaves. */
function leftIn({ left }: ConsentMessages, strategy: string): string | undefined {
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
