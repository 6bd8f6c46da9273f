import { html } from './html.js';
import { inLanguage, page, type PageLanguage } from './layout.js';

/** @see renderOtherPerson */
export interface OtherPersonView {
  readonly action: string;
  /** The person who just signed in. The other person is not named, because nothing about them is this person's business. */
  readonly personName: string | undefined;
}

export function renderOtherPerson(language: PageLanguage, { action, personName }: OtherPersonView): string {
  const words = language.messages.otherPerson;
  const name = personName ?? words.nameless;
  return page(language, {
    title: words.title,
    body: html`<h1>${words.title}</h1>
      <p>${words.explanation(name)}</p>
      <form method="post" action="${inLanguage(action, language)}">
        <div class="actions">
          <button class="main" name="do" value="continue">${words.goOn(name)}</button>
          <button name="do" value="cancel">${words.cancel}</button>
        </div>
      </form>`,
    parameters: new URLSearchParams(),
  });
}
