import { inspect } from 'node:util';
import { printableLines } from '@behalf/gateway/internal';

/** Every command prints by these two, so that nothing it quotes can act on the terminal. */
export function printLine(line: string): void {
  console.log(printableLines(line));
}

export function printError(line: string): void {
  console.error(printableLines(line));
}

/** An error that nobody foresaw, with its stack: its message may quote anything. */
export function printBug(error: unknown): void {
  printError(inspect(error));
}
