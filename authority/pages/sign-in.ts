import { html } from './html.js';
import { inLanguage, page, type PageLanguage } from './layout.js';

/** @see renderSignIn */
export interface SignInView {
  readonly action: string;
  readonly clientName: string;
  readonly username?: string | undefined;
  readonly problem?: string | undefined;
}

export function renderSignIn(language: PageLanguage, view: SignInView): string {
  const words = language.messages.signIn;
  // After a wrong password, that is what has to be typed again.
  const isNamed = view.username !== undefined && view.username !== '';
  return page(language, {
    title: words.title,
    body: html`<h1>${words.title}</h1>
      <p>${words.asks(view.clientName)}</p>
      ${view.problem !== undefined && html`<p class="alert" role="alert">${view.problem}</p>`}
      <form method="post" action="${inLanguage(view.action, language)}">
        <label class="field"
          >${words.username}
          <input
            name="username"
            value="${view.username}"
            autocomplete="username"
            autocapitalize="none"
            spellcheck="false"
            maxlength="100"
            required
            ${!isNamed && html` autofocus`}
          />
        </label>
        <label class="field"
          >${words.password}
          <input
            name="password"
            type="password"
            autocomplete="current-password"
            maxlength="256"
            required
            ${isNamed && html` autofocus`}
          />
        </label>
        <div class="actions">
          <button class="main" name="do" value="sign-in">${words.submit}</button>
          <button name="do" value="cancel" formnovalidate>${words.cancel}</button>
        </div>
      </form>`,
    parameters: new URLSearchParams(),
  });
}
