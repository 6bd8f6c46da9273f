import { printBug, printError } from './terminal.js';

/**
 * Errors that a user of the command can cause; each has a stable code. They are matched by name, so that reporting one
 * does not load the package that defines it.
 */
const EXPECTED: ReadonlySet<string> = new Set([
  'ApplicationError',
  'AuthorityError',
  'CommandError',
  'ComposeError',
  'ConfigurationError',
  'PolicyError',
  'StoreError',
  'SupergraphError',
]);

/**
 * Prints why a command failed and sets the exit code to 1. An expected failure takes a line, and one more for each
 * detail; any other error is a bug and is printed with its stack.
 *
 * @param alsoExpected names of further error classes that count as expected
 */
export function reportError(error: unknown, alsoExpected: readonly string[] = []): void {
  process.exitCode = 1;
  if (!(error instanceof Error)) {
    printBug(error);
    return;
  }
  const { code, details } = error as { code?: unknown; details?: unknown };
  const isExpected = EXPECTED.has(error.name) || alsoExpected.includes(error.name);
  if (code === 'EADDRINUSE') printError(`ADDRESS_IN_USE: ${error.message}`);
  else if (error.name === 'ListenError') printError(`ADDRESS_UNAVAILABLE: ${error.message}`);
  else if (isExpected && typeof code === 'string') {
    printError(`${code}: ${error.message}`);
    if (Array.isArray(details)) for (const detail of details) printError(`  ${String(detail)}`);
  } else printBug(error);
}
