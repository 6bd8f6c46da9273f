import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  checkPolicy,
  checkTranslation,
  compareTranslation,
  policyVersion,
  readTranslation,
  readTranslations,
  translatePolicy,
} from '../../policy/index.js';
import policySchema from '../../policy/schema.json' with { type: 'json' };
import translationSchema from '../../policy/translation-schema.json' with { type: 'json' };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-translation-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const scope = (sentence: string) => ({ sentence, access: 'read', sensitivity: 'low' });
const POLICY = checkPolicy({
  scopes: {
    'accounts:read': scope('See your accounts'),
    'profile:read': { ...scope('See your name'), deprecated: { since: '2020-01-01', until: '2020-12-31' } },
  },
  purposes: { budgeting: { sentence: 'To plan your budget' } },
  categories: {
    location: {
      sentence: 'Where you live',
      sensitivity: 'sensitive',
      levels: { city: { sentence: 'Only the city' }, country: { sentence: 'Only the country' } },
    },
  },
});
const GERMAN = {
  language: 'de',
  scopes: { 'accounts:read': 'Sieh deine Konten', 'profile:read': 'Sieh deinen Namen' },
  purposes: { budgeting: 'Um dein Budget zu planen' },
  categories: {
    location: { sentence: 'Wo du wohnst', levels: { city: 'Nur die Stadt', country: 'Nur das Land' } },
  },
};

async function write(name: string, content: string | object): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

describe('a translation file', () => {
  it('is read into maps by name, with its tag in its usual spelling', async () => {
    const file = await write(
      'read.yaml',
      [
        'language: DE-at',
        'scopes: { __proto__: Alles, no: "Nein" }',
        'fields: { Customer.email: Deine E-Mail-Adresse }',
      ].join('\n'),
    );
    const read = await readTranslation(file);
    expect(read.language).toBe('de-AT');
    // YAML 1.2: `no` is text, and `__proto__` a name like any other.
    expect([...read.scopes]).toEqual([
      ['__proto__', 'Alles'],
      ['no', 'Nein'],
    ]);
    expect([...read.fields]).toEqual([['Customer.email', 'Deine E-Mail-Adresse']]);
  });

  it.each<[string, unknown]>([
    ['x.yaml: language: is missing', { scopes: {} }],
    ['x.yaml: language: must be a language tag, such as de, de-AT or zh-Hant', { language: 'd', scopes: {} }],
    ['x.yaml: scope: is not a known key; did you mean scopes?', { language: 'de', scope: {} }],
    ['x.yaml: scopes.a: must be one line of text', { language: 'de', scopes: { a: ' x' } }],
    ['x.yaml: scopes.a: must be one line of text', { language: 'de', scopes: { a: 'x\ny' } }],
    ['x.yaml: scopes.a: must have at most 300', { language: 'de', scopes: { a: 'x'.repeat(301) } }],
    ['x.yaml: fields.Customer: is not a valid name', { ...GERMAN, fields: { Customer: 'x' } }],
    ['x.yaml: purposes.a: must be a string', { ...GERMAN, purposes: { a: { sentence: 'x' } } }],
  ])('is refused in words: %s', (message, value) => {
    expect(() => checkTranslation(value, 'x.yaml')).toThrow(message);
  });

  it('has the bounds that texts and names of the policy have', () => {
    for (const name of ['language', 'scopeName', 'name', 'categoryName', 'levelName', 'sentence'] as const)
      expect(translationSchema.definitions[name]).toEqual(policySchema.definitions[name]);
  });

  it('is read together with the others, each in a language of its own', async () => {
    const german = await write('de.yaml', GERMAN);
    const austrian = await write('de-AT.yaml', { ...GERMAN, language: 'de-AT' });
    const read = await readTranslations([german, austrian], POLICY);
    expect(read.map(({ language }) => language)).toEqual(['de', 'de-AT']);
    await expect(readTranslations([german, german], POLICY)).rejects.toMatchObject({
      code: 'POLICY_CONTRADICTION',
      message: `${german}: language: de is that of ${german} as well`,
    });
    const english = await write('en.yaml', { ...GERMAN, language: 'en' });
    await expect(readTranslations([english], POLICY)).rejects.toThrow('en is that of the policy as well');
    await expect(readTranslations([join(folder, 'none.yaml')], POLICY)).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
    });
  });
});

describe('a translation that is compared with its policy', () => {
  it('lacks a deprecated scope, and has a misspelt one', async () => {
    const scopes = { 'accounts:reed': 'Sieh deine Konten' };
    const file = await write('incomplete.yaml', { ...GERMAN, scopes });
    await expect(readTranslations([file], POLICY)).rejects.toMatchObject({
      code: 'TRANSLATION_MISMATCH',
      message:
        `${file}: sentences of the policy that are not translated: scopes.accounts:read, scopes.profile:read; ` +
        'names that the policy does not have: scopes.accounts:reed (did you mean scopes.accounts:read?)',
    });
  });

  it.each<[string, object, string[]]>([
    ['a category', {}, ['missing categories.location']],
    [
      'a level',
      { location: { sentence: 'x', levels: { city: 'x', cuntry: 'x' } } },
      ['missing categories.location.levels.country', 'unknown categories.location.levels.cuntry'],
    ],
    [
      'all levels, and has another category',
      { location: { sentence: 'x' }, birth: { sentence: 'x', levels: { year: 'x' } } },
      [
        'unknown categories.birth',
        'missing categories.location.levels.city',
        'missing categories.location.levels.country',
      ],
    ],
  ])('lacks %s', (_case, categories, expected) => {
    const found = compareTranslation(checkTranslation({ ...GERMAN, categories }), POLICY);
    expect(found.map(({ kind, path }) => `${kind} ${path}`)).toEqual(expected);
  });

  it('is told at most ten of the names that are missing', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `scope:${index}`);
    const policy = checkPolicy({ scopes: Object.fromEntries(names.map((name) => [name, scope('See it')])) });
    const file = await write('empty.yaml', { language: 'de', scopes: {} });
    await expect(readTranslations([file], policy)).rejects.toThrow(
      /: scopes\.scope:0, .*, scopes\.scope:9 and 30 more$/,
    );
  });

  it('has findings exactly for the names that only one of them has', () => {
    const name = fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor', 'd.e');
    const names = fc.uniqueArray(name, { minLength: 1 });
    fc.assert(
      fc.property(names, names, (needed, given) => {
        const policy = {
          ...POLICY,
          purposes: new Map(needed.map((each) => [each, { name: each, sentence: 'x' }])),
        };
        const purposes = new Map(given.map((each) => [each, 'x']));
        const found = compareTranslation({ ...checkTranslation(GERMAN), purposes }, policy);
        const count = (kind: string) => found.filter((finding) => finding.kind === kind).length;
        expect(count('missing')).toBe(needed.filter((each) => !given.includes(each)).length);
        expect(count('unknown')).toBe(given.filter((each) => !needed.includes(each)).length);
      }),
    );
  });
});

it('a translated policy differs in its sentences only', () => {
  const german = translatePolicy(POLICY, checkTranslation(GERMAN));
  expect(german.language).toBe('de');
  expect(german.scopes.get('accounts:read')).toEqual({
    name: 'accounts:read',
    sentence: 'Sieh deine Konten',
    access: 'read',
    sensitivity: 'low',
  });
  expect(german.purposes.get('budgeting')?.sentence).toBe('Um dein Budget zu planen');
  expect(german.categories.get('location')).toMatchObject({
    sentence: 'Wo du wohnst',
    sensitivity: 'sensitive',
    levels: [
      { name: 'city', sentence: 'Nur die Stadt' },
      { name: 'country', sentence: 'Nur das Land' },
    ],
  });
  const english = checkTranslation({
    language: 'en',
    scopes: { 'accounts:read': 'See your accounts', 'profile:read': 'See your name' },
    purposes: { budgeting: 'To plan your budget' },
    categories: {
      location: {
        sentence: 'Where you live',
        levels: { city: 'Only the city', country: 'Only the country' },
      },
    },
  });
  expect(policyVersion(translatePolicy(german, english))).toBe(policyVersion(POLICY));
});

it('a policy states its own language, English by default', () => {
  const scopes = { 'accounts:read': scope('Sieh deine Konten') };
  expect(checkPolicy({ scopes }).language).toBe('en');
  expect(checkPolicy({ scopes, language: 'DE' }).language).toBe('de');
  expect(() => checkPolicy({ scopes, language: 'German' })).toThrow('language: must be a language tag');
});
