import { describe, expect, it } from 'vitest';
import { dayInWords, durationInWords, timeInWords } from '../../../authority/pages/formats.js';
import { problemIn } from '../../../authority/language/check-messages.js';
import { Languages } from '../../../authority/language/languages.js';
import { MESSAGES } from '../../../authority/pages/messages/index.js';
import { checkPolicy, checkTranslation } from '../../../policy/index.js';
import { POLICY_FILE } from '../setup.js';
import { GERMAN_FILE } from './support.js';

/** Every text by its path; functions as what they say of arguments that are in no language. */
function texts(messages: unknown, path = ''): Map<string, string> {
  if (typeof messages === 'string') return new Map([[path, messages]]);
  if (typeof messages === 'function') {
    const say = messages as (...args: unknown[]) => string;
    return new Map([[path, say(path.endsWith('replacedBy') ? ['⟨1⟩', '⟨2⟩'] : '⟨1⟩', '⟨2⟩')]]);
  }
  return new Map(
    Object.entries(messages as object).flatMap(([key, part]) => [...texts(part, `${path}.${key}`)]),
  );
}

const ENGLISH = texts(MESSAGES.en);
const GERMAN = texts(MESSAGES.de);

describe('the messages that come with the authority', () => {
  it('have the same keys in every language', () => {
    expect([...GERMAN.keys()]).toEqual([...ENGLISH.keys()]);
    for (const messages of Object.values(MESSAGES)) expect(problemIn({ en: messages })).toBeUndefined();
  });

  it('are equal in two languages only where they have no words', () => {
    const equal = [...ENGLISH].filter(([path, text]) => GERMAN.get(path) === text);
    expect(equal).toEqual([
      ['.direction', 'ltr'],
      ['.consent.signedInAs.after', '.'],
    ]);
  });

  it.each([...ENGLISH.keys()])('say as much in each language: %s', (path) => {
    const placeholders = (text = ''): string[] => (text.match(/⟨\d⟩/g) ?? []).sort();
    expect(placeholders(GERMAN.get(path))).toEqual(placeholders(ENGLISH.get(path)));
    expect(GERMAN.get(path)).toMatch(/\S/);
  });

  it('name none of the words of another language', () => {
    const words = (text: string): string[] => text.toLowerCase().match(/\p{L}+/gu) ?? [];
    const english = new Set([...ENGLISH.values()].flatMap(words));
    const shared = new Set([...GERMAN.values()].flatMap(words).filter((word) => english.has(word)));
    // These are words of both.
    const both = ['an', 'browser', 'form', 'in', 'ltr', 'minute', 'moment', 'person', 'so', 'was'];
    expect([...shared].sort()).toEqual(both);
  });
});

describe('dates and durations', () => {
  const moment = new Date('2026-03-03T04:05:00Z');

  it.each([
    ['en', '3 March 2026 at 04:05 UTC', '31 December 2026', '90 days', '1 hour'],
    ['en-US', 'March 3, 2026 at 04:05 UTC', 'December 31, 2026', '90 days', '1 hour'],
    ['de', '3. März 2026 um 04:05 UTC', '31. Dezember 2026', '90 Tage', '1 Stunde'],
    ['pl', '3 marca 2026 04:05 UTC', '31 grudnia 2026', '90 dni', '1 godzina'],
  ])('are in the words and plurals of %s', (language, time, day, days, hour) => {
    // CLDR's punctuation between a day and a time differs between versions.
    expect(timeInWords(moment, language).replace(/,? o |, (?=04)/, ' ')).toBe(time);
    expect(dayInWords('2026-12-31', language)).toBe(day);
    expect(durationInWords(90 * 86_400, language)).toBe(days);
    expect(durationInWords(3_600, language)).toBe(hour);
    expect(durationInWords(61, language)).toMatch(/^61 /);
  });
});

describe('messages of a deployment', () => {
  const { en } = MESSAGES;

  it.each<[string, Record<string, unknown>]>([
    ['messages.fr.signIn is missing', { fr: { ...en, signIn: undefined } }],
    ['messages.fr.signIn.titel is not a known key', { fr: { ...en, signIn: { ...en.signIn, titel: 'x' } } }],
    [
      'messages.fr.signIn.asks must be a function, not a string',
      { fr: { ...en, signIn: { ...en.signIn, asks: 'x' } } },
    ],
    [
      'messages.fr.signIn.title must be a text that is not empty, not an empty one',
      { fr: { ...en, signIn: { ...en.signIn, title: '' } } },
    ],
    ['messages.fr.direction must be one of ltr, rtl', { fr: { ...en, direction: 'up' } }],
    ['messages.fr must be an object, not a list', { fr: [] }],
    ['messages.FR must be named by a language tag, such as fr or pt-BR', { FR: en }],
    ...['Connecté :  ', ' Connecté en tant que ', 'a'].map((before): [string, Record<string, unknown>] => [
      'messages.fr.consent.signedInAs must have 5 characters in all, and single spaces between words only',
      { fr: { ...en, consent: { ...en.consent, signedInAs: { before, after: '' } } } },
    ]),
  ])('are refused: %s', (message, given) => {
    const found = problemIn(given);
    expect(`${found?.path ?? ''} ${found?.problem ?? ''}`).toBe(message);
  });

  it('may greet in any order of words', () => {
    for (const signedInAs of [
      { before: 'Connecté : ', after: '' },
      { before: '', after: ' olarak oturum açtınız.' },
    ])
      expect(problemIn({ fr: { ...en, consent: { ...en.consent, signedInAs } } })).toBeUndefined();
  });

  it('are needed for a language of the policy, where wider ones suffice', () => {
    const policy = checkPolicy(POLICY_FILE);
    const french = checkTranslation({ ...GERMAN_FILE, language: 'fr' });
    expect(() => new Languages(policy, [french])).toThrow(
      'messages has none in "fr", the language of the policy or of a translation; there are de, en',
    );
    expect(new Languages(policy, [french], { fr: en }).tags).toEqual(['en', 'fr']);
    const austrian = checkTranslation({ ...GERMAN_FILE, language: 'de-AT' });
    expect(new Languages(policy, [austrian]).choose({ acceptLanguage: 'de' })).toMatchObject({
      tag: 'de-AT',
      messages: MESSAGES.de,
    });
    // Messages without a translation are not offered: the page would be half in English.
    expect(new Languages(policy, []).choose({ uiLocales: 'de' }).tag).toBe('en');
  });
});
