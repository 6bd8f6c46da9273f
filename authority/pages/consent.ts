import { createHash } from 'node:crypto';

import type { DetailLevel } from '../consent/types.js';
import { contactOf } from './contact.js';
import { type Html, html } from './html.js';
import { page } from './layout.js';
import { textOf } from './text.js';

/** How long a consent can last. */
export interface DurationChoice {
  readonly seconds: number;
  readonly label: string;
}

/** The labels of the two levels, on the page and in the record of its words. */
export const DETAIL_LABELS = {
  full: 'Full detail',
  minimal: 'Less detail: shortened or rounded where that is possible',
} as const;

/** One check box. */
export interface OfferedName {
  readonly name: string;
  readonly sentence: string;
  /** Remarks to read before ticking it. */
  readonly remarks: readonly string[];
  /** The person has never decided about it. Always false if they have agreed to nothing before. */
  readonly isNew: boolean;
  /** The person refused it when they agreed to what is in force. */
  readonly wasDeclined: boolean;
  readonly ticked: boolean;
}

/** @see renderConsent */
export interface ConsentView {
  readonly action: string;
  readonly personName: string;
  readonly client: {
    readonly name: string;
    readonly owner?: string | undefined;
    readonly contact?: string | undefined;
    readonly homePage?: string | undefined;
  };
  /** The earlier consent that is still in force, with formatted dates. */
  readonly standing?: { readonly since: string; readonly until: string } | undefined;
  readonly purposes: readonly OfferedName[];
  readonly scopes: readonly OfferedName[];
  readonly durations: readonly { readonly value: string; readonly label: string }[];
  readonly duration: string;
  /** The levels to choose from, and the preselected one. */
  readonly details: readonly DetailLevel[];
  readonly detail: DetailLevel;
  readonly problem?: string | undefined;
}

/** The whole page. The form carries a digest of the words that it was shown with: see `wordsOf`. */
export function renderConsent(view: ConsentView): string {
  return page(titleOf(view), renderBody(view));
}

/** Everything that a person reads on the page, except a problem with their submission, and a digest of these words. */
export function wordsOf(view: ConsentView): { readonly text: string; readonly digest: string } {
  const text = textOf(html`${renderWho(view)}${renderForm(view, '')}`);
  return { text, digest: digestOf(text) };
}

/** The digest of a page's words. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

function titleOf({ client, purposes, scopes, standing }: ConsentView): string {
  if (standing === undefined) return `${client.name} asks for access to your data`;
  const asksForMore = [...purposes, ...scopes].some(({ isNew }) => isNew);
  return asksForMore
    ? `${client.name} asks for more`
    : `${client.name} asks you to look at your agreement again`;
}

function renderBody(view: ConsentView): Html {
  return html`${renderWho(view)}
  ${view.problem !== undefined && html`<p class="alert" role="alert">${view.problem}</p>`}
  ${renderForm(view, wordsOf(view).digest)}`;
}

/** When the person is forgotten, their name is found by the beginning of its line (`authority.unnamed_words`). */
function renderWho(view: ConsentView): Html {
  const { client, personName, standing } = view;
  return html`<h1>${titleOf(view)}</h1>
    <p class="quiet">You are signed in as ${personName.replace(/\s+/g, ' ')}.</p>
    ${renderOwner(client)}
    ${
      standing !== undefined &&
      html`<p class="standing">
        You gave it access on ${standing.since}. That ends on ${standing.until}, and nothing of it changes if
        you leave it as it was.
      </p>`
    }`;
}

function renderOwner({ contact, homePage, name, owner }: ConsentView['client']): Html | false {
  if (owner === undefined && contact === undefined) return false;
  return html`<p>
    ${owner !== undefined && html`${name} is run by ${owner}. `}
    ${contact !== undefined && html`Questions: ${contactOf(contact)}. `}
    ${homePage !== undefined && html`About it: ${contactOf(homePage)}.`}
  </p>`;
}

/** New entries, entries that were refused before, and the others, in groups that are omitted when empty. */
function renderScopes({ scopes, standing }: ConsentView): Html {
  const fresh = scopes.filter(({ isNew }) => isNew);
  const declined = scopes.filter(({ wasDeclined }) => wasDeclined);
  const known = scopes.filter(({ isNew, wasDeclined }) => !isNew && !wasDeclined);
  const knownLegend =
    standing === undefined
      ? 'What it would do. Tick what you allow.'
      : 'What you agreed to already. Take away what you do not want any more.';
  return html`${
    fresh.length > 0 &&
    html`<fieldset>
      <legend>New: what it would do as well. Tick what you allow.</legend>
      <div class="fresh">${fresh.map((scope) => renderBox('scope', scope))}</div>
    </fieldset>`
  }
  ${renderGroup('Asked again. Tick what you allow now.', declined)} ${renderGroup(knownLegend, known)}`;
}

function renderGroup(legend: string, scopes: readonly OfferedName[]): Html | false {
  if (scopes.length === 0) return false;
  return html`<fieldset>
    <legend>${legend}</legend>
    ${scopes.map((scope) => renderBox('scope', scope))}
  </fieldset>`;
}

function renderForm(view: ConsentView, digest: string): Html {
  const { action, detail, details, duration, durations, standing } = view;
  return html`<form method="post" action="${action}">
    <input type="hidden" name="shown" value="${digest}" />
    ${renderPurposes(view.purposes)} ${renderScopes(view)}
    <fieldset>
      <legend><label for="duration">How long</label></legend>
      <select id="duration" name="duration">
        ${durations.map(
          ({ value, label }) =>
            html`<option value="${value}" ${value === duration && html` selected`}>${label}</option> `,
        )}
      </select>
    </fieldset>
    <fieldset>
      <legend>How much detail</legend>
      ${details.map(
        (level) =>
          html`<label class="row"
            ><input type="radio" name="detail" value="${level}" ${level === detail && html` checked`} /><span
              >${DETAIL_LABELS[level]}</span
            ></label
          >`,
      )}
    </fieldset>
    <p class="quiet">You can take this back at any time; it ends at once then.</p>
    <div class="actions">
      <button class="main" name="do" value="allow">Allow</button>
      ${
        standing === undefined
          ? html`<button name="do" value="refuse">Refuse</button>`
          : html`<button name="do" value="keep">Leave it as it was</button>`
      }
    </div>
  </form>`;
}

/** A single purpose cannot be removed without everything else, so it is stated and not asked. */
function renderPurposes(purposes: readonly OfferedName[]): Html | false {
  const [only, ...others] = purposes;
  if (only === undefined) return false;
  if (others.length === 0) {
    return html`<h2>What for</h2>
      <ul>
        <li>${only.isNew && NEW}${only.sentence} ${renderRemarks(only)}</li>
      </ul>`;
  }
  return html`<fieldset>
    <legend>What for. Tick what you allow.</legend>
    ${purposes.map((purpose) => renderBox('purpose', purpose))}
  </fieldset>`;
}

const NEW = html`<strong class="new">New</strong> `;

function renderRemarks({ remarks }: Pick<OfferedName, 'remarks'>): readonly Html[] {
  return remarks.map((remark) => html`<small>${remark}</small> `);
}

function renderBox(field: string, { isNew, name, remarks, sentence, ticked }: OfferedName): Html {
  return html`<label class="row">
    <input type="checkbox" name="${field}" value="${name}" ${ticked && html` checked`} />
    <span>${isNew && NEW}${sentence} ${renderRemarks({ remarks })}<code>${name}</code></span>
  </label> `;
}
