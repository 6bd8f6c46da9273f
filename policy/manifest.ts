import { withoutUndefined } from '@behalf/directives/internal';
import type { DefaultDetail, FieldVocabulary, LevelDetail, SchemaVocabulary } from './findings.js';
import type { Policy, Sensitivity } from './policy.js';
import { translatePolicy } from './translate.js';
import type { Translation } from './translation.js';
import { policyVersion } from './version.js';

/** A text by language (BCP 47). */
export type InLanguages = Readonly<Record<string, string>>;

/** What people are asked for today, and what it means in the schema: see {@link manifestOf}. */
export interface Manifest {
  /** Of the policy. */
  readonly policyVersion: string;
  /** BCP 47; the policy's own first. */
  readonly languages: readonly string[];
  readonly scopes: readonly ManifestScope[];
  readonly purposes: readonly ManifestPurpose[];
  readonly categories: readonly ManifestCategory[];
}

/** A scope, and the fields that it opens. */
export interface ManifestScope {
  readonly name: string;
  readonly sentences: InLanguages;
  readonly access: 'read' | 'write';
  readonly sensitivity: Sensitivity;
  readonly deprecated?: true;
  readonly fields: readonly ManifestField[];
}

/** A field, as one scope opens it. */
export interface ManifestField {
  /** `Type.field`. */
  readonly coordinate: string;
  /** In the languages that have one. */
  readonly descriptions: InLanguages;
  readonly category?: string;
  /** Whether it returns values, and no objects. */
  readonly isLeaf: boolean;
  /** Whether the scope alone opens the field. Otherwise another one is needed as well. */
  readonly suffices: boolean;
  /** Other scopes that matter to the field's rules. */
  readonly otherScopes: readonly string[];
  /** Purposes that the field's rules name. */
  readonly purposes: readonly string[];
  /**
   * `whole`: the whole value. `minimized`: what its strategy leaves. `lifted`: this scope, alone or with others, gives the whole
   * value of a field that is minimized otherwise.
   */
  readonly gives: 'whole' | 'minimized' | 'lifted';
  /** What is left by default, of a field that is minimized. */
  readonly byDefault?: DefaultDetail;
  /** Levels that can be in force, from most detail to least. */
  readonly levels: readonly LevelDetail[];
}

/** A purpose, and the fields whose rules name it. */
export interface ManifestPurpose {
  readonly name: string;
  readonly sentences: InLanguages;
  /** Coordinates. */
  readonly fields: readonly string[];
}

/** A category of personal data, its levels, and its fields. */
export interface ManifestCategory {
  readonly name: string;
  /** Empty for a category that the policy does not describe. */
  readonly sentences: InLanguages;
  /** Absent for such a category. */
  readonly sensitivity?: Sensitivity;
  /** From most detail to least. */
  readonly levels: readonly { readonly name: string; readonly sentences: InLanguages }[];
  /** Coordinates. */
  readonly fields: readonly string[];
}

/**
 * Lists what every scope and purpose means today: the fields that it opens, their data category, and how much detail is left of
 * them, with the words of every language. The authority's consent page shows the same.
 *
 * @param translations of the policy, each complete ({@link readTranslations})
 * @param vocabulary of the supergraph ({@link readVocabulary})
 *
 * @example
 * ```ts
 * import { manifestOf, readPolicy, readTranslations, readVocabulary } from '@behalf/policy';
 * import { readFileSync } from 'node:fs';
 *
 * const policy = await readPolicy('policy.yaml');
 * const translations = await readTranslations(['policy.de.yaml'], policy);
 * const vocabulary = readVocabulary(readFileSync('supergraph.graphql', 'utf8'));
 * for (const { name, fields } of manifestOf(policy, translations, vocabulary).scopes) console.log(name, fields.length);
 * ```
 */
export function manifestOf(
  policy: Policy,
  translations: readonly Translation[],
  vocabulary: SchemaVocabulary,
): Manifest {
  const texts = new Texts(policy, translations);
  const opened = openedBy(vocabulary);
  return {
    policyVersion: policyVersion(policy),
    languages: texts.languages,
    scopes: [...policy.scopes.values()].map(({ access, deprecated, name, sensitivity }) =>
      withoutUndefined({
        name,
        sentences: texts.of((each) => each.scopes.get(name)?.sentence),
        access,
        sensitivity,
        deprecated: deprecated === undefined ? undefined : (true as const),
        fields: (opened.get(name) ?? []).map(([coordinate, field]) =>
          fieldUnder(name, coordinate, field, texts.describe(coordinate, field)),
        ),
      }),
    ),
    purposes: [...policy.purposes.values()].map(({ name }) => ({
      name,
      sentences: texts.of((each) => each.purposes.get(name)?.sentence),
      fields: [...vocabulary.fields].flatMap(([coordinate, { purposes }]) =>
        purposes.includes(name) ? [coordinate] : [],
      ),
    })),
    categories: categoriesOf(policy, vocabulary, texts),
  };
}

type Opened = ReadonlyMap<string, readonly (readonly [string, FieldVocabulary])[]>;

/** Scope → the fields whose rules name it, or whose default it lifts. */
function openedBy({ fields }: SchemaVocabulary): Opened {
  const opened = new Map<string, [string, FieldVocabulary][]>();
  for (const [coordinate, field] of fields) {
    for (const scope of new Set([...field.scopes.flat(2), ...(field.byDefault?.wholeWith.flat() ?? [])])) {
      const known = opened.get(scope);
      if (known === undefined) opened.set(scope, [[coordinate, field]]);
      else known.push([coordinate, field]);
    }
  }
  return opened;
}

function fieldUnder(
  scope: string,
  coordinate: string,
  { byDefault, category, isLeaf, levels, purposes, scopes }: FieldVocabulary,
  descriptions: InLanguages,
): ManifestField {
  const lifts = byDefault?.wholeWith.flat().includes(scope) === true;
  const gives = byDefault === undefined ? 'whole' : lifts ? 'lifted' : 'minimized';
  const otherScopes = [...new Set(scopes.flat(2))].filter((name) => name !== scope);
  const suffices = scopes.every((entry) => entry.some((names) => names.every((name) => name === scope)));
  return withoutUndefined({
    ...{ coordinate, descriptions, category, isLeaf, suffices, otherScopes, purposes, byDefault, levels },
    gives: gives satisfies ManifestField['gives'],
  });
}

function categoriesOf(
  policy: Policy,
  { fields }: SchemaVocabulary,
  texts: Texts,
): readonly ManifestCategory[] {
  const coordinates = new Map<string, string[]>([...policy.categories.keys()].map((name) => [name, []]));
  for (const [coordinate, { category }] of fields) {
    if (category === undefined) continue;
    const known = coordinates.get(category);
    if (known === undefined) coordinates.set(category, [coordinate]);
    else known.push(coordinate);
  }
  return [...coordinates].map(([name, ofCategory]) => {
    const { levels = [], sensitivity } = policy.categories.get(name) ?? {};
    return withoutUndefined({
      name,
      sentences: texts.of((each) => each.categories.get(name)?.sentence),
      sensitivity,
      levels: levels.map((level, index) => ({
        name: level.name,
        sentences: texts.of((each) => each.categories.get(name)?.levels[index]?.sentence),
      })),
      fields: ofCategory,
    });
  });
}

/** The policy in each language. */
class Texts {
  readonly languages: readonly string[];
  readonly #policies: readonly Policy[];
  readonly #translations: readonly Translation[];

  constructor(policy: Policy, translations: readonly Translation[]) {
    this.#policies = [policy, ...translations.map((each) => translatePolicy(policy, each))];
    this.#translations = translations;
    this.languages = this.#policies.map(({ language }) => language);
  }

  of(read: (policy: Policy) => string | undefined): InLanguages {
    return Object.fromEntries(
      this.#policies.flatMap((policy) => {
        const text = read(policy);
        return text === undefined ? [] : [[policy.language, text] as const];
      }),
    );
  }

  /** The schema's description is in the policy's language. */
  describe(coordinate: string, field: FieldVocabulary): InLanguages {
    const [own] = this.#policies;
    const description = own?.fields.get(coordinate) ?? field.description;
    return Object.fromEntries([
      ...(own === undefined || description === undefined ? [] : [[own.language, description] as const]),
      ...this.#translations.flatMap(({ fields, language }) => {
        const text = fields.get(coordinate);
        return text === undefined ? [] : [[language, text] as const];
      }),
    ]);
  }
}
