import { printableLines } from '@behalf/gateway/printable';

/** Prints a line to stdout, with control characters escaped: quoted input cannot control the terminal. */
export function printLine(line: string): void {
  console.log(printableLines(line));
}

/** Prints a line to stderr, with control characters escaped. */
export function printError(line: string): void {
  console.error(printableLines(line));
}
