import { type Html, html } from './html.js';
import { page } from './layout.js';

/** Served at this path, because no page may contain a script. */
export const SEND_FORM_PATH = '/send-form.js';

/** Sends the page's form. */
export const SEND_FORM_SCRIPT = 'document.forms[0].submit();\n';

/** The way from here to an application. */
export interface Continuation {
  /** A registered redirect URI, with or without parameters. */
  readonly address: string;
  readonly clientName: string;
}

/** Goes on to the application by itself. The link is for browsers that wait for a click, as some do for an application's scheme. */
export function renderContinue({ address, clientName }: Continuation): string {
  return page(
    titleOf(clientName),
    html`${renderHeading(clientName)}
      <div class="actions"><a class="button main" href="${address}">Continue to ${clientName}</a></div>`,
    html`<meta http-equiv="refresh" content="0;url=${address}" />`,
  );
}

/** Posts the response to the application by itself, or without scripts, when the button is pressed. */
export function renderFormPost(
  { address, clientName }: Continuation,
  fields: readonly { readonly name: string; readonly value: string }[],
): string {
  return page(
    titleOf(clientName),
    html`${renderHeading(clientName)}
      <form method="post" action="${address}">
        ${fields.map(({ name, value }) => html`<input type="hidden" name="${name}" value="${value}" /> `)}
        <div class="actions"><button class="main">Continue to ${clientName}</button></div>
      </form>`,
    html`<script src="${SEND_FORM_PATH}" defer></script>`,
  );
}

function titleOf(clientName: string): string {
  return `Back to ${clientName}`;
}

function renderHeading(clientName: string): Html {
  return html`<h1>Back to ${clientName}</h1>
    <p>This takes a moment. If nothing happens, continue here.</p>`;
}
