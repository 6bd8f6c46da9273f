import { html } from './html.js';
import { page } from './layout.js';

/** @see renderSignIn */
export interface SignInView {
  readonly action: string;
  readonly clientName: string;
  readonly username?: string | undefined;
  readonly problem?: string | undefined;
}

export function renderSignIn(view: SignInView): string {
  // After a wrong password, that is what has to be typed again.
  const isNamed = view.username !== undefined && view.username !== '';
  return page(
    'Sign in',
    html`<h1>Sign in</h1>
      <p>${view.clientName} asks for access to your data. Sign in to decide about it.</p>
      ${view.problem !== undefined && html`<p class="alert" role="alert">${view.problem}</p>`}
      <form method="post" action="${view.action}">
        <label class="field"
          >User name
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
          >Password
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
          <button class="main" name="do" value="sign-in">Sign in</button>
          <button name="do" value="cancel" formnovalidate>Cancel</button>
        </div>
      </form>`,
  );
}
