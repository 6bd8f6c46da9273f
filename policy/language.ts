/** The language of a policy that does not state one. */
const DEFAULT_LANGUAGE = 'en';

/** A tag in its usual spelling (RFC 5646 section 2.1.1), so that equal tags are equal texts. @param tag as the schemas require it */
export function canonicalLanguage(tag: string = DEFAULT_LANGUAGE): string {
  return Intl.getCanonicalLocales(tag)[0] ?? tag;
}
