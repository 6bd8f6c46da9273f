import Negotiator from 'negotiator';

/** What a request says about languages. Everything in it comes from outside. */
export interface WantedLanguages {
  /** What the person chose on a page of ours. */
  readonly chosen?: string | null | undefined;
  /** The parameter of OpenID Connect Core section 3.1.2.1, in order of preference. */
  readonly uiLocales?: unknown;
  /** RFC 9110 section 12.5.4. */
  readonly acceptLanguage?: string | undefined;
}

/** Browsers send some hundred characters at most. */
const MAX_CHARACTERS = 1_000;

/** RFC 5646 section 4.4.1. */
const MAX_TAG_CHARACTERS = 35;

/**
 * The offered language that is wanted most: the person's choice first, then what the application asks for, then what the browser
 * accepts. Within each, the first range that matches counts.
 *
 * @param offered the languages of the pages; not empty
 * @returns one of `offered`; the first one, if nothing wanted is offered
 */
export function negotiateLanguage(offered: readonly string[], wanted: WantedLanguages): string {
  const { acceptLanguage, chosen, uiLocales } = wanted;
  const found =
    // Our own links name an offered language.
    offered.find((tag) => tag.toLowerCase() === chosen?.toLowerCase()) ??
    firstMatch(offered, typeof uiLocales === 'string' ? truncated(uiLocales, ' ').split(' ') : []) ??
    firstMatch(offered, acceptedRanges(acceptLanguage));
  return found ?? offered[0] ?? '';
}

function firstMatch(offered: readonly string[], ranges: readonly string[]): string | undefined {
  for (const range of ranges) {
    const found = lookUp(offered, range);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** By preference, without those that are not acceptable. `*` is no language, so it matches none. */
function acceptedRanges(header: string = ''): readonly string[] {
  return new Negotiator({ headers: { 'accept-language': truncated(header, ',') } }).languages();
}

/** The last entry, which may have been cut, is dropped. */
function truncated(list: string, separator: string): string {
  if (list.length <= MAX_CHARACTERS) return list;
  const end = list.lastIndexOf(separator, MAX_CHARACTERS);
  return end === -1 ? '' : list.slice(0, end);
}

/**
 * RFC 4647 section 3.4: the range, then without its last subtag, and so on. If nothing matches, then section 3.3.1: somebody who
 * wants German gets Austrian German, if that is the only German.
 */
function lookUp(offered: readonly string[], range: string): string | undefined {
  if (range === '' || range.length > MAX_TAG_CHARACTERS) return undefined;
  const wanted = range.toLowerCase();
  for (let prefix = wanted; prefix !== ''; prefix = shortened(prefix)) {
    const found = offered.find((tag) => tag.toLowerCase() === prefix);
    if (found !== undefined) return found;
  }
  return offered.find((tag) => tag.toLowerCase().startsWith(`${wanted}-`));
}

/** A single letter begins an extension, and means nothing without what follows it. */
function shortened(range: string): string {
  return range.replace(/(?:^|-)[^-]*$/, '').replace(/-[^-]$/, '');
}
