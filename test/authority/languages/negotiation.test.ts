import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { negotiateLanguage } from '../../../authority/language/negotiate.js';

const OFFERED = ['en', 'de', 'pt-BR', 'zh-Hant'];
const byBrowser = (acceptLanguage: string): string => negotiateLanguage(OFFERED, { acceptLanguage });

describe('rfc4647: the language that the browser accepts', () => {
  it.each([
    ['', 'en'],
    ['de', 'de'],
    ['DE', 'de'],
    // Section 3.4, lookup: a range is shortened until something matches.
    ['de-AT', 'de'],
    ['de-Latn-CH-1996', 'de'],
    ['zh-Hant-TW', 'zh-Hant'],
    ['zh-Hant-x-private', 'zh-Hant'],
    ['zh-Hant-a-aaa-x', 'zh-Hant'],
    ['de-x', 'de'],
    // Shortened, these are still not what is offered.
    ['zh-TW', 'en'],
    ['pt-PT', 'en'],
    // Section 3.3.1: a range as a prefix.
    ['pt', 'pt-BR'],
    ['zh', 'zh-Hant'],
    ['d', 'en'],
    ['deu', 'en'],
    ['den', 'en'],
    // RFC 9110 section 12.4.2: quality.
    ['en;q=0.5, de;q=0.9', 'de'],
    ['en;q=0.5,de;q=0.5', 'en'],
    ['fr, de;q=0.3', 'de'],
    ['fr, de;q=0', 'en'],
    ['de;q=0.000, pt-BR;q=0.001', 'pt-BR'],
    ['*', 'en'],
    ['*;q=0.1, de;q=0.5', 'de'],
    ['fr-CH, fr;q=0.9, *;q=0.5', 'en'],
  ])('for "%s" is %s', (header, expected) => {
    expect(byBrowser(header)).toBe(expected);
  });
});

describe('what is wanted more', () => {
  it.each<[string, Parameters<typeof negotiateLanguage>[1], string]>([
    ['the request over the browser', { uiLocales: 'de', acceptLanguage: 'pt-BR' }, 'de'],
    ['the first locale that is offered', { uiLocales: 'fr-CA fr pt de' }, 'pt-BR'],
    ['the browser, if no locale is offered', { uiLocales: 'fr it', acceptLanguage: 'de' }, 'de'],
    ['the person over the request', { chosen: 'pt-BR', uiLocales: 'de' }, 'pt-BR'],
    ['the request, if the person’s choice is not offered', { chosen: 'pt', uiLocales: 'de' }, 'de'],
    ['nothing that is not text', { uiLocales: ['de'], chosen: null }, 'en'],
    ['nothing at all', {}, 'en'],
  ])('is %s', (_case, wanted, expected) => {
    expect(negotiateLanguage(OFFERED, wanted)).toBe(expected);
  });
});

describe('hostile requests', () => {
  const HUGE = 100_000;

  it.each([
    ['one range without an end', 'a'.repeat(HUGE)],
    ['one range of very many subtags', 'a-'.repeat(HUGE / 2)],
    ['hyphens only', '-'.repeat(HUGE)],
    ['commas only', ','.repeat(HUGE)],
    ['very many ranges', 'fr;q=0.5,'.repeat(HUGE / 9)],
    ['spaces before a quality', `fr;${' '.repeat(HUGE)}q=1`],
    ['semicolons only', ';'.repeat(HUGE)],
  ])('of 100 kB are answered in the policy’s language: %s', (_case, text) => {
    expect(byBrowser(text)).toBe('en');
    expect(negotiateLanguage(OFFERED, { uiLocales: text, chosen: text })).toBe('en');
  });

  it('count as far as they are read, without a range that was cut', () => {
    expect(byBrowser(`de,${'fr,'.repeat(HUGE)}`)).toBe('de');
    // The thousandth character is in the middle of the second range.
    expect(byBrowser(`${'x'.repeat(996)},den-AT${'y'.repeat(100)}`)).toBe('en');
  });

  it('get one of the languages that are offered, whatever they are', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[a-zA-Z0-9;=,.* -]{0,60}$/));
    fc.assert(
      fc.property(text, text, text, (chosen, uiLocales, acceptLanguage) => {
        expect(OFFERED).toContain(negotiateLanguage(OFFERED, { chosen, uiLocales, acceptLanguage }));
      }),
    );
  });
});
