import type { DetailLevel } from '../consent/types.js';
import { html } from './html.js';
import { page } from './layout.js';

/** How long a consent can last. */
export interface DurationChoice {
  readonly seconds: number;
  readonly label: string;
}

/** What the two levels are called on the page, and in the record of the words shown. */
export const DETAIL_LABELS = {
  full: 'Full detail',
  minimal: 'Less detail: shortened or rounded where that is possible',
} as const;

/** One check box. */
export interface OfferedScope {
  readonly name: string;
  readonly sentence: string;
  /** What a person should know before they leave it ticked. */
  readonly remarks: readonly string[];
}

/** @see renderConsent */
export interface ConsentView {
  readonly action: string;
  readonly personName: string;
  readonly clientName: string;
  readonly purposes: readonly string[];
  readonly scopes: readonly OfferedScope[];
  readonly durations: readonly DurationChoice[];
  /** The levels that can be chosen, the first of them beforehand. */
  readonly details: readonly DetailLevel[];
  readonly defaultDurationSeconds: number;
  readonly problem?: string;
}

export function renderConsent(view: ConsentView): string {
  return page(
    `${view.clientName} asks for access`,
    html`<h1>${view.clientName} asks for access to your data</h1>
      <p class="quiet">You are signed in as ${view.personName}.</p>
      ${view.problem !== undefined && html`<p class="alert" role="alert">${view.problem}</p>`}
      ${
        view.purposes.length > 0 &&
        html`<h2>What for</h2>
          <ul>
            ${view.purposes.map((purpose) => html`<li>${purpose}</li> `)}
          </ul>`
      }
      <form method="post" action="${view.action}">
        <fieldset>
          <legend>What it may do. Take away what you do not want.</legend>
          ${view.scopes.map(
            ({ name, sentence, remarks }) =>
              html`<label class="row">
                <input type="checkbox" name="scope" value="${name}" checked />
                <span
                  >${sentence} ${remarks.map((remark) => html`<small>${remark}</small> `)}<code
                    >${name}</code
                  ></span
                >
              </label> `,
          )}
        </fieldset>
        <fieldset>
          <legend><label for="duration">How long</label></legend>
          <select id="duration" name="duration">
            ${view.durations.map(
              ({ seconds, label }) =>
                html`<option value="${seconds}" ${seconds === view.defaultDurationSeconds && html` selected`}>
                  ${label}
                </option> `,
            )}
          </select>
        </fieldset>
        <fieldset>
          <legend>How much detail</legend>
          ${view.details.map(
            (detail, index) =>
              html`<label class="row"
                ><input type="radio" name="detail" value="${detail}" ${index === 0 && html` checked`} /><span
                  >${DETAIL_LABELS[detail]}</span
                ></label
              > `,
          )}
        </fieldset>
        <p class="quiet">You can take this back at any time; it ends at once then.</p>
        <div class="actions">
          <button class="main" name="do" value="allow">Allow</button>
          <button name="do" value="refuse">Refuse</button>
        </div>
      </form>`,
  );
}
