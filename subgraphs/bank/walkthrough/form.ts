/** A form on a page, as a browser would submit it untouched. */
export interface PageForm {
  readonly action: string;
  readonly fields: URLSearchParams;
  /** The possible choices, by field: checkbox values, or an option's value. */
  readonly choices: ReadonlyMap<string, readonly { readonly value: string; readonly label: string }[]>;
}

/** Reads the first form of a page of the authority. Undefined when it has none. It is no parser of foreign pages. */
export function readPageForm(markup: string): PageForm | undefined {
  const [, attributes, content] = /<form\b([^>]*)>([\s\S]*?)<\/form>/.exec(markup) ?? [];
  const action = attributes === undefined ? undefined : readAttribute(attributes, 'action');
  if (action === undefined || content === undefined) return undefined;
  const fields = new URLSearchParams();
  const choices = new Map<string, { value: string; label: string }[]>();
  const offer = (name: string, value: string, label: string): void => {
    choices.set(name, [...(choices.get(name) ?? []), { value, label }]);
  };
  for (const [, input = ''] of content.matchAll(/<input\b([^>]*)>/g)) {
    const name = readAttribute(input, 'name');
    if (name === undefined) continue;
    const value = readAttribute(input, 'value') ?? '';
    const choice = /\btype\s*=\s*"(checkbox|radio)"/.test(input);
    if (choice) offer(name, value, value);
    if (!choice || /\schecked(\s|$)/.test(input)) fields.append(name, value);
  }
  for (const [, select = '', options = ''] of content.matchAll(/<select\b([^>]*)>([\s\S]*?)<\/select>/g)) {
    const name = readAttribute(select, 'name');
    if (name === undefined) continue;
    for (const [, option = '', label = ''] of options.matchAll(/<option\b([^>]*)>([\s\S]*?)<\/option>/g)) {
      const value = readAttribute(option, 'value') ?? '';
      offer(name, value, decode(label.trim()));
      if (/\sselected(\s|$)/.test(option) || !fields.has(name)) fields.set(name, value);
    }
  }
  return { action, fields, choices };
}

/** The address to which a page goes on by itself. */
export function readRefresh(markup: string): string | undefined {
  const address = /<meta http-equiv="refresh" content="0;url=([^"]*)"/.exec(markup)?.[1];
  return address === undefined ? undefined : decode(address);
}

function readAttribute(attributes: string, name: string): string | undefined {
  const value = new RegExp(`\\s${name}\\s*=\\s*"([^"]*)"`).exec(attributes)?.[1];
  return value === undefined ? undefined : decode(value);
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

function decode(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ENTITIES[name] ?? '');
}
