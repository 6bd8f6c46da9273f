import { inspect } from 'node:util';
import { printableLines } from '@behalf/gateway/printable';

/** Prints a line to stdout, with control characters escaped: quoted input cannot control the terminal. */
export function printLine(line: string): void {
  console.log(printableLines(line));
}

/** Prints a line to stderr, with control characters escaped. */
export function printError(line: string): void {
  console.error(printableLines(line));
}

/** Prints an unexpected error with its stack. The message may quote anything, so it is escaped as well. */
export function printBug(error: unknown): void {
  printError(inspect(error));
}
