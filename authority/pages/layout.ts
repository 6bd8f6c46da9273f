import { nameOfLanguage } from './formats.js';
import { type Html, html } from './html.js';
import type { PageMessages } from './messages/index.js';

/** The parameter by which links and forms of our pages say in which language they are. */
export const LANGUAGE_PARAMETER = 'lang';

/** The one language of a page. */
export interface PageLanguage {
  /** BCP 47. */
  readonly tag: string;
  readonly messages: PageMessages;
  /** The languages in which pages can be shown, by their tags, the policy's own first. */
  readonly offered: readonly string[];
}

/** @see page */
export interface PageParts {
  readonly title: string;
  readonly body: Html;
  /** What the page does by itself. */
  readonly head?: Html;
  /**
   * The parameters of the page's address: with them, links lead to the same page in the other languages. Left out for a page that
   * cannot be opened again.
   */
  readonly parameters?: URLSearchParams | undefined;
}

/** A whole page. */
export function page(language: PageLanguage, { body, head, parameters, title }: PageParts): string {
  return html`<!doctype html>
    <html lang="${language.tag}" dir="${language.messages.direction}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        <link rel="stylesheet" href="/style.css" />
        ${head}
      </head>
      <body>
        ${parameters !== undefined && renderLanguages(language, parameters)}
        <main>${body}</main>
      </body>
    </html> `.text;
}

/** An address of ours with the language of the page that leads to it, so that the answer is in the same one. */
export function inLanguage(path: string, { tag }: PageLanguage): string {
  return `${path}?${new URLSearchParams({ [LANGUAGE_PARAMETER]: tag }).toString()}`;
}

/** Text in another language than the page's, so that screen readers pronounce it. */
export function foreign(text: string, language: string): Html {
  return html`<span lang="${language}">${text}</span>`;
}

/** The links have no path of their own, because that of a request may be an attacker's. */
function renderLanguages(
  { messages, offered, tag }: PageLanguage,
  parameters: URLSearchParams,
): Html | false {
  if (offered.length < 2) return false;
  return html`<nav class="languages" aria-label="${messages.languages}">
    <ul>
      ${offered.map((each) => {
        const name = nameOfLanguage(each);
        if (each === tag) return html`<li><span lang="${each}" aria-current="true">${name}</span></li> `;
        const query = new URLSearchParams(parameters);
        query.set(LANGUAGE_PARAMETER, each);
        return html`<li>
          <a href="?${query.toString()}" lang="${each}" hreflang="${each}">${name}</a>
        </li> `;
      })}
    </ul>
  </nav>`;
}
