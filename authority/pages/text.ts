import type { Html } from './html.js';

const BLOCK =
  /<\/?(?:p|h1|h2|h3|ul|li|fieldset|legend|label|option|select|small|code|button|div|form|details|summary)\b[^>]*>/g;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

/**
 * The text that a person reads in markup created by `html`: one line per block, without tags, whitespace collapsed. It cannot
 * parse foreign markup, where a `>` can occur in an attribute; here it is always escaped.
 */
export function textOf({ text }: Html): string {
  return text
    .replace(BLOCK, '\n')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ENTITIES[name] ?? '')
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' ').trim())
    .filter((line) => line !== '')
    .join('\n');
}
