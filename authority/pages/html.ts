/** Markup that is safe to send, created only by `html`. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

type Insert = string | number | Html | readonly Html[] | undefined | false;

/**
 * A template whose values are escaped for text and quoted attributes. Only `Html` values are inserted as markup; undefined and
 * false are omitted. This is the only place where text becomes markup.
 */
export function html(parts: TemplateStringsArray, ...inserts: readonly Insert[]): Html {
  let text = parts[0] ?? '';
  for (const [index, insert] of inserts.entries()) text += render(insert) + (parts[index + 1] ?? '');
  return new Html(text);
}

function render(insert: Insert): string {
  if (insert === undefined || insert === false) return '';
  if (insert instanceof Html) return insert.text;
  if (typeof insert === 'object') return insert.map(({ text }) => text).join('');
  return String(insert).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
