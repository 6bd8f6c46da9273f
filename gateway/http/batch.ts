import { isRecord } from '@behalf/directives/internal';
import type { HttpErrorCode } from '../errors.js';

/** Key `http.batch` of the configuration. */
interface BatchOptions {
  readonly maxOperations: number;
}

/** Why a batch is refused as a whole, and further members of the refusal. */
interface BatchRefusal {
  readonly code: HttpErrorCode;
  readonly details: Readonly<Record<string, unknown>>;
}

/**
 * Whether a batch is refused before any of its operations is executed. Apollo Server executes all of them at once, and gives one
 * answer for the whole batch if an entry is not a request: the answers of the others, mutations among them, would be lost.
 *
 * @param options undefined if batches are off
 * @returns undefined if each entry gets an answer of its own
 */
export function batchRefusal(
  entries: readonly unknown[],
  options: BatchOptions | undefined,
): BatchRefusal | undefined {
  if (options === undefined) return { code: 'BATCHES_NOT_SUPPORTED', details: {} };
  const { maxOperations } = options;
  if (entries.length === 0 || entries.length > maxOperations)
    return { code: 'BATCH_SIZE', details: { maxOperations } };
  const entry = entries.findIndex((each) => !isGraphQLRequest(each));
  return entry === -1 ? undefined : { code: 'BATCH_ENTRY_INVALID', details: { entry } };
}

/** GraphQL over HTTP section 5.3. A request without a text has an answer of its own, so it is one. */
function isGraphQLRequest(entry: unknown): boolean {
  if (!isRecord(entry) || Object.keys(entry).length === 0) return false;
  const { query, operationName, variables, extensions } = entry;
  return (
    isAbsentOr(query, isText) &&
    isAbsentOr(operationName, isText) &&
    isAbsentOr(variables, isRecord) &&
    isAbsentOr(extensions, isRecord)
  );
}

function isAbsentOr(value: unknown, fits: (value: unknown) => boolean): boolean {
  return value === undefined || value === null || fits(value);
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}
