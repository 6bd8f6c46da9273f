import { html } from './html.js';
import { inLanguage, page, type PageLanguage } from './layout.js';

export function renderSignOut(language: PageLanguage, action: string): string {
  const words = language.messages.signOut;
  return page(language, {
    title: words.title,
    body: html`<h1>${words.title}</h1>
      <p>${words.explanation}</p>
      <form method="post" action="${inLanguage(action, language)}">
        <div class="actions"><button class="main" name="do" value="sign-out">${words.submit}</button></div>
      </form>`,
    parameters: new URLSearchParams(),
  });
}

export function renderSignedOut(language: PageLanguage): string {
  const { done, doneTitle } = language.messages.signOut;
  return page(language, {
    title: doneTitle,
    body: html`<h1>${doneTitle}</h1>
      <p>${done}</p>`,
  });
}
