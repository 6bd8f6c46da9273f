import { type Html, html } from './html.js';
import type { ConsentMessages } from './messages/index.js';

/** A text, and its language if that is not the page's. */
export interface ShownText {
  readonly text: string;
  readonly language?: string;
}

/** One field that a scope opens. */
export interface ShownField {
  readonly coordinate: string;
  /** Absent: the schema does not describe it. */
  readonly text?: ShownText;
  /** How much of it. */
  readonly note?: string;
}

/** Fields of one kind. */
export interface MeaningGroup {
  /** Absent if there is only one group, of no kind. */
  readonly heading?: ShownText;
  readonly fields: readonly ShownField[];
}

/** One choice of how much detail: for a kind of data, or for one field of it. */
export interface LevelChoice {
  /** The data category, or the field's coordinate. */
  readonly name: string;
  readonly text: ShownText | undefined;
  /** The first one is the most. */
  readonly options: readonly { readonly value: string; readonly label: string }[];
  readonly chosen: string;
}

/** The choices for one kind of data. */
export interface CategoryLevels extends LevelChoice {
  readonly fields: readonly LevelChoice[];
}

/** What a scope means, behind its sentence. */
export function renderMeaning(words: ConsentMessages, groups: readonly MeaningGroup[]): Html | false {
  const count = groups.reduce((sum, { fields }) => sum + fields.length, 0);
  if (count === 0) return false;
  return html`<details class="meaning">
    <summary>${words.opens(count)}</summary>
    ${groups.map(
      ({ fields, heading }) =>
        html`${heading !== undefined && html`<h3>${renderText(heading)}</h3>`}
          <ul>
            ${fields.map((field) => html`<li>${renderField(field)}</li> `)}
          </ul> `,
    )}
  </details>`;
}

function renderField({ coordinate, note, text }: ShownField): Html {
  return html`${text === undefined ? html`<code>${coordinate}</code>` : renderText(text)}${
    note !== undefined && html` <em>${note}</em>`
  }`;
}

export function renderText({ language, text }: ShownText): Html {
  return language === undefined ? html`${text}` : html`<span lang="${language}">${text}</span>`;
}

/** How much detail of each kind of data. */
export function renderLevels(words: ConsentMessages, categories: readonly CategoryLevels[]): Html | false {
  if (categories.length === 0) return false;
  return html`<fieldset class="levels">
    <legend>${words.howMuchOfWhat}</legend>
    ${categories.map(
      (category) =>
        html`<div class="level">
          ${renderChoice(category)}
          ${
            hasFieldChoices(category) &&
            html`<details ${category.fields.some(isChosen) && html`open`}>
              <summary>${words.singleFields}</summary>
              ${category.fields.map(renderChoice)}
            </details>`
          }
        </div>`,
    )}
  </fieldset>`;
}

/** Choices for the fields would repeat that for a category of a single one, unless the field has one of its own. */
function hasFieldChoices({ fields }: CategoryLevels): boolean {
  return fields.length > 1 || fields.some((field) => isChosen(field) || field.options[0]?.value !== '');
}

function isChosen({ chosen, options }: LevelChoice): boolean {
  return chosen !== options[0]?.value;
}

function renderChoice({ chosen, name, options, text }: LevelChoice): Html {
  return html`<label class="field"
    ><span>${text === undefined ? html`<code>${name}</code>` : renderText(text)}</span>
    <select name="level:${name}">
      ${options.map(
        ({ label, value }) =>
          html`<option value="${value}" ${value === chosen && html` selected`}>${label}</option> `,
      )}
    </select></label
  > `;
}
