import { type Html, html } from './html.js';
import { page, type PageLanguage } from './layout.js';

/** Served at this path, because no page may contain a script. */
export const SEND_FORM_PATH = '/send-form.js';

/** Sends the page's form. */
export const SEND_FORM_SCRIPT = 'document.forms[0].submit();\n';

/** The way from here to an application. */
export interface Continuation {
  /** A registered redirect URI, with or without parameters. */
  readonly address: string;
  readonly clientName: string | undefined;
}

/** Goes on to the application by itself. The link is for browsers that wait for a click, as some do for an application's scheme. */
export function renderContinue(language: PageLanguage, continuation: Continuation): string {
  const { address } = continuation;
  const { button, heading, title } = wordsFor(language, continuation);
  return page(language, {
    title,
    body: html`${heading}
      <div class="actions"><a class="button main" href="${address}">${button}</a></div>`,
    head: html`<meta http-equiv="refresh" content="0;url=${address}" />`,
  });
}

/** Posts the response to the application by itself, or without scripts, when the button is pressed. */
export function renderFormPost(
  language: PageLanguage,
  continuation: Continuation,
  fields: readonly { readonly name: string; readonly value: string }[],
): string {
  const { button, heading, title } = wordsFor(language, continuation);
  return page(language, {
    title,
    body: html`${heading}
      <form method="post" action="${continuation.address}">
        ${fields.map(({ name, value }) => html`<input type="hidden" name="${name}" value="${value}" /> `)}
        <div class="actions"><button class="main">${button}</button></div>
      </form>`,
    head: html`<script src="${SEND_FORM_PATH}" defer></script>`,
  });
}

function wordsFor({ messages }: PageLanguage, { clientName }: Pick<Continuation, 'clientName'>) {
  const { button, explanation, nameless, title } = messages.goBack;
  const name = clientName ?? nameless;
  const heading: Html = html`<h1>${title(name)}</h1>
    <p>${explanation}</p>`;
  return { title: title(name), button: button(name), heading };
}
