import { createHash } from 'node:crypto';

import type { DetailLevel } from '../consent/types.js';
import { contactOf } from './contact.js';
import { type Html, html } from './html.js';
import { inLanguage, page, type PageLanguage } from './layout.js';
import { type CategoryLevels, type MeaningGroup, renderLevels, renderMeaning } from './meaning.js';
import type { ConsentMessages } from './messages/index.js';
import { textOf } from './text.js';

/** How long a consent can last. */
export interface DurationChoice {
  readonly seconds: number;
  /** In the policy's language. Default, and in other languages: the duration in words, such as `30 days`. */
  readonly label?: string;
}

/** One check box. */
export interface OfferedName {
  readonly name: string;
  readonly sentence: string;
  /** Remarks to read before ticking it. */
  readonly remarks: readonly string[];
  /** The person has never decided about it. Always false if they have agreed to nothing before. */
  readonly isNew: boolean;
  /** What it means in the schema. Default: not shown. */
  readonly meaning?: readonly MeaningGroup[];
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
  readonly standing?:
    | { readonly since: string; readonly until: string; readonly id: string; readonly version: number }
    | undefined;
  readonly purposes: readonly OfferedName[];
  readonly scopes: readonly OfferedName[];
  readonly durations: readonly { readonly value: string; readonly label: string }[];
  readonly duration: string;
  /** The levels to choose from, and the preselected one. */
  readonly details: readonly DetailLevel[];
  readonly detail: DetailLevel;
  readonly levels: readonly CategoryLevels[];
  readonly problem?: string | undefined;
}

/** The whole page. The form carries a digest of the words that it was shown with: see `wordsOf`. */
export function renderConsent(language: PageLanguage, view: ConsentView): string {
  return page(language, {
    title: titleOf(language, view),
    body: renderBody(language, view),
    parameters: new URLSearchParams(),
  });
}

/** Everything that a person reads on the page, except a problem with their submission, and a digest of these words. */
export function wordsOf(
  language: PageLanguage,
  view: ConsentView,
): { readonly text: string; readonly digest: string } {
  const text = textOf(html`${renderWho(language, view)}${renderForm(language, view, '')}`);
  return { text, digest: digestOf(text) };
}

/** The digest of a page's words. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

function titleOf({ messages }: PageLanguage, { client, purposes, scopes, standing }: ConsentView): string {
  const { title, titleAgain, titleMore } = messages.consent;
  if (standing === undefined) return title(client.name);
  const asksForMore = [...purposes, ...scopes].some(({ isNew }) => isNew);
  return asksForMore ? titleMore(client.name) : titleAgain(client.name);
}

function renderBody(language: PageLanguage, view: ConsentView): Html {
  return html`${renderWho(language, view)}
  ${view.problem !== undefined && html`<p class="alert" role="alert">${view.problem}</p>`}
  ${renderForm(language, view, wordsOf(language, view).digest)}`;
}

/** When the person is forgotten, their name is found by the words around it (`authority.unnamed_words`). */
function renderWho(language: PageLanguage, view: ConsentView): Html {
  const { client, personName, standing } = view;
  const words = language.messages.consent;
  const { after, before } = words.signedInAs;
  return html`<h1>${titleOf(language, view)}</h1>
    <p class="quiet">${before}${personName.replace(/\s+/g, ' ')}${after}</p>
    ${renderOwner(words, client)}
    ${
      standing !== undefined &&
      html`<p class="standing">${words.standing(standing.since, standing.until)}</p>`
    }`;
}

function renderOwner(
  words: ConsentMessages,
  { contact, homePage, name, owner }: ConsentView['client'],
): Html | false {
  if (owner === undefined && contact === undefined) return false;
  return html`<p>
    ${owner !== undefined && html`${words.runBy(name, owner)} `}
    ${contact !== undefined && html`${words.questions} ${contactOf(contact)}. `}
    ${homePage !== undefined && html`${words.homePage} ${contactOf(homePage)}.`}
  </p>`;
}

/** New entries, entries that were refused before, and the others, in groups that are omitted when empty. */
function renderScopes(words: ConsentMessages, { scopes, standing }: ConsentView): Html {
  const fresh = scopes.filter(({ isNew }) => isNew);
  const declined = scopes.filter(({ wasDeclined }) => wasDeclined);
  const known = scopes.filter(({ isNew, wasDeclined }) => !isNew && !wasDeclined);
  const knownLegend = standing === undefined ? words.scopes : words.scopesKnown;
  return html`${
    fresh.length > 0 &&
    html`<fieldset>
      <legend>${words.scopesNew}</legend>
      <div class="fresh">${fresh.map((scope) => renderBox(words, 'scope', scope))}</div>
    </fieldset>`
  }
  ${renderGroup(words, words.scopesDeclined, declined)} ${renderGroup(words, knownLegend, known)}`;
}

function renderGroup(words: ConsentMessages, legend: string, scopes: readonly OfferedName[]): Html | false {
  if (scopes.length === 0) return false;
  return html`<fieldset>
    <legend>${legend}</legend>
    ${scopes.map((scope) => renderBox(words, 'scope', scope))}
  </fieldset>`;
}

function renderForm(language: PageLanguage, view: ConsentView, digest: string): Html {
  const words = language.messages.consent;
  const { action, detail, details, duration, durations, levels, standing } = view;
  return html`<form method="post" action="${inLanguage(action, language)}">
    <input type="hidden" name="shown" value="${digest}" />
    <input type="hidden" name="over" value="${standingOf(standing)}" />
    ${renderPurposes(words, view.purposes)} ${renderScopes(words, view)}
    <fieldset>
      <legend><label for="duration">${words.howLong}</label></legend>
      <select id="duration" name="duration">
        ${durations.map(
          ({ value, label }) =>
            html`<option value="${value}" ${value === duration && html` selected`}>${label}</option> `,
        )}
      </select>
    </fieldset>
    <fieldset>
      <legend>${words.howMuchDetail}</legend>
      ${details.map(
        (level) =>
          html`<label class="row"
            ><input type="radio" name="detail" value="${level}" ${level === detail && html` checked`} /><span
              >${words.details[level]}</span
            ></label
          >`,
      )}
    </fieldset>
    ${renderLevels(words, levels)}
    <p class="quiet">${words.takeBack}</p>
    <div class="actions">
      <button class="main" name="do" value="allow">${words.allow}</button>
      ${
        standing === undefined
          ? html`<button name="do" value="refuse">${words.refuse}</button>`
          : html`<button name="do" value="keep">${words.keep}</button>`
      }
    </div>
  </form>`;
}

/** A single purpose cannot be removed without everything else, so it is stated and not asked. */
function renderPurposes(words: ConsentMessages, purposes: readonly OfferedName[]): Html | false {
  const [only, ...others] = purposes;
  if (only === undefined) return false;
  if (others.length === 0) {
    return html`<h2>${words.whatFor}</h2>
      <ul>
        <li>${only.isNew && renderNew(words)}${only.sentence} ${renderRemarks(only)}</li>
      </ul>`;
  }
  return html`<fieldset>
    <legend>${words.whatForChoice}</legend>
    ${purposes.map((purpose) => renderBox(words, 'purpose', purpose))}
  </fieldset>`;
}

function renderNew({ isNew }: ConsentMessages): Html {
  return html`<strong class="new">${isNew}</strong> `;
}

function renderRemarks({ remarks }: Pick<OfferedName, 'remarks'>): readonly Html[] {
  return remarks.map((remark) => html`<small>${remark}</small> `);
}

function renderBox(
  words: ConsentMessages,
  field: string,
  { isNew, meaning = [], name, remarks, sentence, ticked }: OfferedName,
): Html {
  return html`<label class="row">
      <input type="checkbox" name="${field}" value="${name}" ${ticked && html` checked`} />
      <span>${isNew && renderNew(words)}${sentence} ${renderRemarks({ remarks })}<code>${name}</code></span>
    </label>
    ${renderMeaning(words, meaning)} `;
}

/** Names the consent that the page was made over: another one would have had other choices preselected. */
export function standingOf(standing: { readonly id: string; readonly version: number } | undefined): string {
  return standing === undefined ? '' : `${standing.id} ${standing.version}`;
}
