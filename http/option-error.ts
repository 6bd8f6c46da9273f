import { optionProblem } from './option-problem.js';
import type { OptionTest } from './option-problem.js';

/**
 * Bounds that are none: an unknown key, or a value such as NaN, would lift the limit that their author set. The message begins with
 * the key. Its only code is `HTTP_OPTION_INVALID`.
 *
 * @example
 * ```ts
 * import { Connections, HttpOptionError } from '@behalf/http';
 *
 * export async function close(connections: Connections, answerGraceMs: number): Promise<void> {
 *   try {
 *     await connections.close({ answerGraceMs });
 *   } catch (error) {
 *     if (!(error instanceof HttpOptionError)) throw error;
 *     console.error(error.code, error.message);
 *   }
 * }
 * ```
 */
export class HttpOptionError extends Error {
  override readonly name = 'HttpOptionError';
  readonly code = 'HTTP_OPTION_INVALID';
}

/** @throws {HttpOptionError} */
export function checkHttpOptions(
  given: unknown,
  known: Readonly<Record<string, OptionTest>>,
  required: readonly string[] = [],
): void {
  const problem = optionProblem(given, known, required);
  if (problem !== undefined) throw new HttpOptionError(problem);
}
