import { inspect } from 'node:util';
import { printError } from './terminal.js';

/**
 * Errors that a user of the command can cause; each has a stable code. They are matched by name, so that reporting one
 * does not load the package that defines it.
 */
const EXPECTED: ReadonlySet<string> = new Set([
  'ApplicationError',
  'AuditError',
  'AuthorityError',
  'CommandError',
  'ComposeError',
  'ConfigurationError',
  'LogError',
  'PolicyError',
  'StoreError',
  'SupergraphError',
  'VerificationError',
  'WitnessError',
]);

/**
 * Why a command failed. An expected failure takes a line, and one more for each detail; any other error is a bug and is
 * shown with its stack. The lines may quote anything, so whoever prints them escapes them.
 *
 * @param alsoExpected names of further error classes that count as expected
 */
export function errorLines(error: unknown, alsoExpected: readonly string[] = []): readonly string[] {
  if (!(error instanceof Error)) return [inspect(error)];
  const { code, details } = error as { code?: unknown; details?: unknown };
  if (code === 'EADDRINUSE') return [`ADDRESS_IN_USE: ${error.message}`];
  if (error.name === 'ListenError') return [`ADDRESS_UNAVAILABLE: ${error.message}`];
  if (isOfFile(error)) return [`FILE_UNREADABLE: ${error.message}`];
  const isExpected = EXPECTED.has(error.name) || alsoExpected.includes(error.name);
  if (!isExpected || typeof code !== 'string') return [inspect(error)];
  const more = Array.isArray(details) ? details.map((detail) => `  ${String(detail)}`) : [];
  return [`${code}: ${error.message}`, ...more];
}

/** A file that the user named: whoever writes one says so with a code of its own. */
function isOfFile(error: NodeJS.ErrnoException): boolean {
  return error.syscall !== undefined && error.path !== undefined && /^E[A-Z]+$/.test(error.code ?? '');
}

/** Prints why this process failed, and sets its exit code to 1. @see errorLines */
export function reportError(error: unknown, alsoExpected: readonly string[] = []): void {
  process.exitCode = 1;
  for (const line of errorLines(error, alsoExpected)) printError(line);
}
