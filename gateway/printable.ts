/**
 * Characters that control a terminal, or make one line read as another: controls (C0, DEL and C1, so escape sequences too),
 * line and paragraph separators, unpaired surrogates, and invisible format characters, which include every text direction mark
 * (Unicode Technical Report 36, section 2.5). The two joiners stay, because Persian, Hindi and many names need them.
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
 * Lines ready to be printed, with all quoted text escaped. Line feeds are kept, so escape foreign text within a line with
 * {@link printable}. JSON is unchanged: outside of its strings there is nothing to escape.
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

/** In JSON's notation. A character beyond the basic plane becomes the escapes of its two halves. */
function escape(character: string): string {
  return Array.from(
    { length: character.length },
    (_each, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
  ).join('');
}
