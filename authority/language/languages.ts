import { type Policy, policyVersion, translatePolicy, type Translation } from '@behalf/policy';
import { AuthorityError } from '../errors.js';
import type { PageLanguage } from '../pages/layout.js';
import { MESSAGES, type PageMessages } from '../pages/messages/index.js';
import { negotiateLanguage, type WantedLanguages } from './negotiate.js';

/** A language in which a person can be asked. */
export interface AskingLanguage extends PageLanguage {
  /** With the sentences of this language. */
  readonly policy: Policy;
  /** Of the policy itself, whichever its sentences are. */
  readonly policyVersion: string;
}

/**
 * The languages of the pages: those for which there are both messages and a translation of the policy, so that no page is in two.
 */
export class Languages {
  /** BCP 47; the policy's own first. */
  readonly tags: readonly string[];
  readonly #byTag: ReadonlyMap<string, AskingLanguage>;

  /**
   * @param messages by language, beside and instead of those that come with the authority
   * @throws AuthorityError `OPTION_INVALID` for a language without messages
   */
  constructor(
    policy: Policy,
    translations: readonly Translation[],
    messages: Readonly<Record<string, PageMessages>> = {},
  ) {
    const policies = [policy, ...translations.map((each) => translatePolicy(policy, each))];
    this.tags = policies.map(({ language }) => language);
    const known: ReadonlyMap<string, PageMessages> = new Map(Object.entries({ ...MESSAGES, ...messages }));
    const version = policyVersion(policy);
    this.#byTag = new Map(
      policies.map((translated) => [
        translated.language,
        {
          tag: translated.language,
          messages: messagesFor(translated.language, known),
          offered: this.tags,
          policy: translated,
          policyVersion: version,
        },
      ]),
    );
  }

  /** @see negotiateLanguage */
  choose(wanted: WantedLanguages): AskingLanguage {
    const language = this.#byTag.get(negotiateLanguage(this.tags, wanted));
    if (language === undefined) throw new Error('a language that is not offered was chosen');
    return language;
  }
}

/** Those of the language itself, or of the wider one: de for de-AT. */
function messagesFor(language: string, messages: ReadonlyMap<string, PageMessages>): PageMessages {
  for (let tag = language; tag !== ''; tag = tag.replace(/(?:^|-)[^-]*$/, '')) {
    const found = messages.get(tag);
    if (found !== undefined) return found;
  }
  const known = [...messages.keys()].sort().join(', ');
  throw new AuthorityError(
    'OPTION_INVALID',
    `messages has none in "${language}", the language of the policy or of a translation; there are ${known}`,
  );
}
