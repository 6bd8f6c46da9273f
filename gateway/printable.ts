/**
 * Everything that makes a terminal do something or a line read as another: controls (C0, DEL and C1, so escape sequences too),
 * line and paragraph separators, half surrogate pairs, and invisible format characters, which include every mark that turns
 * the direction of text (Unicode Technical Report 36, section 2.5). The two joiners stay: Persian, Hindi and many names are
 * not written without them.
 */
const UNSAFE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]|(?![\u200C\u200D])\p{Cf}/gu;

/**
 * A line, or a piece of text for one, that quotes what somebody else wrote: it cannot act, and it cannot end the line.
 *
 * @param maxLength What is longer is cut, so that it cannot fill the screen either. Default: nothing is cut.
 *
 * @example
 * ```ts
 * import { printable } from '@behalf/gateway/printable';
 *
 * export function retired(clientId: string): void {
 *   console.log(`${printable(clientId, 100)}: retired`);
 * }
 * ```
 */
export function printable(text: string, maxLength = Number.POSITIVE_INFINITY): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
  return cut.replace(UNSAFE, escape);
}

/**
 * Lines that are ready to be printed: what they quote cannot act. Line feeds are left, so whoever puts foreign text into a
 * line uses {@link printable} for it. JSON stays the JSON that it was: outside its strings it has nothing to escape.
 *
 * @example
 * ```ts
 * import { printableLines } from '@behalf/gateway/printable';
 *
 * export function show(report: unknown): void {
 *   console.log(printableLines(JSON.stringify(report, undefined, 2)));
 * }
 * ```
 */
export function printableLines(lines: string): string {
  return lines.replace(UNSAFE, (character) => (character === '\n' ? character : escape(character)));
}

/** As JSON writes it. A character beyond the basic plane becomes the escapes of its two halves. */
function escape(character: string): string {
  return Array.from(
    { length: character.length },
    (_each, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
  ).join('');
}
