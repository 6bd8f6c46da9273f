import type { Delegation } from '@behalf/directives';
import { isMet, RuleTable, statementInForce } from '@behalf/directives/internal';
import { composeSupergraph, readSupergraphConfig } from '@behalf/gateway/tools';
import { projectPath } from '@behalf/example/internal';
import { parse } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { levelChoices } from '../../authority/interaction/levels.js';
import { meaningOf } from '../../authority/interaction/meaning.js';
import { type AskingLanguage, Languages } from '../../authority/language/languages.js';
import { renderLevels, renderMeaning } from '../../authority/pages/meaning.js';
import { textOf } from '../../authority/pages/text.js';
import { html } from '../../authority/pages/html.js';
import { manifestOf, readPolicy, readTranslations, readVocabulary } from '../../policy/index.js';
import type { Manifest, ManifestField, Policy } from '../../policy/index.js';
import { levelsUpTo } from '../../policy/internal.js';
import { ALMA, type Example, startExample } from './support/example.js';

let policy: Policy;
let rules: RuleTable;
let manifest: Manifest;
let languages: Languages;
let example: Example;
beforeAll(async () => {
  const sdl = composeSupergraph(await readSupergraphConfig(projectPath('supergraph.yaml')));
  policy = await readPolicy(projectPath('policy.yaml'));
  const translations = await readTranslations([projectPath('policy.de.yaml')], policy);
  const vocabulary = readVocabulary(sdl);
  rules = new RuleTable(parse(sdl), { coverage: 'required' });
  manifest = manifestOf(policy, translations, vocabulary);
  languages = new Languages(policy, translations, vocabulary);
  example = await startExample();
});
afterAll(async () => {
  await example[Symbol.asyncDispose]();
});

/** Holds every policy and purpose, so that scopes decide. */
function delegationWith(scopes: Iterable<string>, [type, field]: readonly [string, string]): Delegation {
  return {
    subject: ALMA,
    clientId: 'app',
    scopes: new Set(scopes),
    policies: new Set(rules.requirementOf(type, field).policies.flat(2)),
    roles: [],
    consent: { id: 'c', version: 1, purposes: [...policy.purposes.keys()], detail: 'full' },
  };
}

/** What enforcement gives somebody of a field. */
function given(coordinate: string, scopes: Iterable<string>): 'nothing' | 'less' | 'whole' {
  const [type = '', field = ''] = coordinate.split('.');
  const delegation = delegationWith(scopes, [type, field]);
  if (!isMet(rules.requirementOf(type, field), delegation)) return 'nothing';
  const minimization = rules.field(type, field)?.minimization;
  if (minimization === undefined) return 'whole';
  return statementInForce(minimization, delegation) === undefined ? 'whole' : 'less';
}

/** Sets of other scopes beside which a scope could matter. */
function others(scope: string): readonly (readonly string[])[] {
  const rest = [...policy.scopes.keys()].filter((name) => name !== scope);
  const pairs = rest.flatMap((one, index) => rest.slice(index + 1).map((other) => [one, other]));
  return [[], rest, ...rest.map((name) => [name]), ...pairs];
}

describe('the manifest of the example', () => {
  it('lists a field under a scope if, and only if, enforcement gives more of it with that scope', () => {
    const coordinates = [...rules.allTypes()]
      .filter(({ kind }) => kind === 'object')
      .flatMap(({ fields }) => [...fields.values()].map(({ coordinate }) => coordinate));
    const differences: string[] = [];
    for (const { fields, name } of manifest.scopes) {
      const listed = new Set(fields.map(({ coordinate }) => coordinate));
      for (const coordinate of coordinates) {
        const matters = others(name).some(
          (beside) => given(coordinate, beside) !== given(coordinate, [...beside, name]),
        );
        if (matters !== listed.has(coordinate)) differences.push(`${name} ${coordinate}`);
      }
    }
    expect(differences).toEqual([]);
    expect(manifest.scopes.flatMap(({ fields }) => fields).length).toBeGreaterThan(100);
  });

  it('says how much of a field a scope gives, as enforcement does', () => {
    const all = [...policy.scopes.keys()];
    for (const { fields, name } of manifest.scopes) {
      for (const { byDefault, coordinate, gives, otherScopes, suffices } of fields) {
        const lifting = new Set(byDefault?.wholeWith.flat());
        const withoutLifting = all.filter((scope) => !lifting.has(scope) || otherScopes.includes(scope));
        if (suffices) expect(given(coordinate, [name])).not.toBe('nothing');
        else if (gives !== 'lifted') expect(given(coordinate, [name])).toBe('nothing');
        if (gives === 'whole') expect([coordinate, given(coordinate, all)]).toEqual([coordinate, 'whole']);
        if (gives === 'minimized')
          expect([name, coordinate, given(coordinate, withoutLifting)]).toEqual([name, coordinate, 'less']);
        if (gives === 'lifted') expect([name, given(coordinate, all)]).toEqual([name, 'whole']);
      }
    }
  });
});

describe.each(['en', 'de'])('the consent page in %s', (tag) => {
  const language = (): AskingLanguage => languages.choose({ uiLocales: tag });
  const saysSomething = ({ coordinate, isLeaf }: ManifestField): boolean =>
    isLeaf || coordinate.startsWith('Mutation.');

  it('shows under each scope what the manifest lists, in its words', () => {
    for (const { fields, name } of manifest.scopes) {
      const shown = meaningOf(language(), name);
      expect(shown.flatMap((group) => group.fields.map(({ coordinate }) => coordinate)).sort()).toEqual(
        fields
          .filter(saysSomething)
          .map(({ coordinate }) => coordinate)
          .sort(),
      );
      const text = textOf(html`${renderMeaning(language().messages.consent, shown)}`);
      for (const {
        byDefault,
        category,
        coordinate,
        descriptions,
        gives,
        otherScopes,
        suffices,
      } of fields.filter(saysSomething)) {
        const isNamedOnly = category === undefined && !coordinate.startsWith('Mutation.');
        const description = isNamedOnly
          ? coordinate
          : (descriptions[tag] ?? descriptions['en'] ?? coordinate);
        const { inFull, left, together } = language().messages.consent;
        const detail =
          gives === 'whole'
            ? undefined
            : gives === 'lifted'
              ? inFull
              : left[(byDefault?.strategy ?? '') as keyof typeof left];
        const [other, ...more] = otherScopes;
        const sentence = more.length === 0 ? language().policy.scopes.get(other ?? '')?.sentence : undefined;
        const note = isNamedOnly
          ? []
          : suffices || gives === 'lifted'
            ? [detail]
            : [together(sentence), detail];
        const words = note.filter((part) => part !== undefined).join(', ');
        expect(text.split('\n')).toContain(`${description} ${words}`.trim());
      }
    }
  });

  it('offers the levels of the manifest for the fields that have them', () => {
    const all = policy.scopes.keys();
    const offered = levelChoices(language(), [...all], { asked: {}, standing: {} });
    const wanted = manifest.categories.filter(({ levels }) => levels.length > 0);
    expect(offered.map(({ name, options }) => [name, options.map(({ value }) => value)])).toEqual(
      wanted.map(({ levels, name }) => [name, ['', ...levels.map((level) => level.name)]]),
    );
    const stated = new Map(
      manifest.scopes.flatMap(({ fields }) =>
        fields.map((field) => [field.coordinate, field.levels] as const),
      ),
    );
    const choices = (coordinate: string): readonly string[] =>
      (stated.get(coordinate) ?? []).flatMap(({ name, strategy }) => (strategy === 'KEEP' ? [] : [name]));
    expect(
      offered.map(({ fields }) =>
        fields.map(({ name, options }) => [name, options.map(({ value }) => value)]),
      ),
    ).toEqual(
      wanted.map(({ fields }) =>
        fields
          .filter((coordinate) => choices(coordinate).length > 0)
          .map((coordinate) => [coordinate, ['', ...choices(coordinate)]]),
      ),
    );
    const text = textOf(html`${renderLevels(language().messages.consent, offered)}`);
    for (const { levels, sentences } of wanted) {
      for (const words of [sentences, ...levels.map((level) => level.sentences)])
        expect(text).toContain(words[tag]);
    }
  });
});

describe('each level of the manifest', () => {
  const ME = `{ me { id name birthDate taxId address { street postalCode city country location { latitude longitude } } } }`;

  it('is enforced by the subgraph as the manifest says, whatever scopes are held', async () => {
    const fields = new Map(
      manifest.scopes.flatMap((scope) => scope.fields.map((field) => [field.coordinate, field] as const)),
    );
    let checked = 0;
    for (const category of manifest.categories) {
      for (const [index, { name: level }] of category.levels.entries()) {
        const inForce = levelsUpTo(policy, languages.choose({}).fields, category.name, level) ?? [];
        expect(inForce).toHaveLength(index + 1);
        const caller = { sub: ALMA, scopes: [...policy.scopes.keys()], levels: { [category.name]: inForce } };
        const answer = await example.ask('customers', caller, ME);
        const facts = new Map(
          (answer.extensions?.behalf?.fields ?? []).map((each) => {
            const [coordinate, , , strategy] = each as readonly [string, string, number, string | null];
            return [coordinate, strategy ?? 'KEEP'] as const;
          }),
        );
        for (const coordinate of category.fields) {
          const stated = fields.get(coordinate)?.levels.filter(({ name }) => inForce.includes(name)) ?? [];
          expect([level, coordinate, facts.get(coordinate)]).toEqual([
            level,
            coordinate,
            stated.at(-1)?.strategy,
          ]);
          checked += 1;
        }
      }
    }
    expect(checked).toBeGreaterThan(10);
  });
});
