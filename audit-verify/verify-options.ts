import { VerificationError } from './errors.js';

/** The options of `verifyLog`. */
export interface VerifyLogOptions {
  /**
   * Checkpoints that were seen before, each as its text: those that witnesses cosigned, or of an earlier export. The log must
   * begin with each of them. Without one, a log that was cut off and signed again looks whole.
   */
  readonly seen?: readonly string[];
  /** When to stop looking for more. Default: 100 findings. */
  readonly maxFindings?: number;
}

const KEYS: readonly string[] = ['seen', 'maxFindings'] satisfies (keyof VerifyLogOptions)[];

/** A misspelt `seen` would let a log pass that was cut off. @throws {VerificationError} `OPTION_INVALID` */
export function checkVerifyOptions(options: unknown): void {
  const problem = optionProblem(options);
  if (problem !== undefined) throw new VerificationError('OPTION_INVALID', problem);
}

/** By itself, because this package shares no code with others. */
function optionProblem(options: unknown): string | undefined {
  if (!isPlain(options)) return 'the options must be a plain object';
  const key = Object.keys(options).find((each) => !KEYS.includes(each));
  if (key !== undefined) return `${key} is not an option; the options are ${KEYS.join(', ')}`;
  const { seen, maxFindings } = options;
  if (seen !== undefined && !isListOfTexts(seen)) return 'seen must be a list of the texts of checkpoints';
  if (maxFindings === undefined) return undefined;
  const isCount = Number.isSafeInteger(maxFindings) && Number(maxFindings) >= 1;
  return isCount ? undefined : 'maxFindings must be a whole number, 1 or more';
}

/** Of a Map, or an object that inherits its content, nothing would be seen. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function isListOfTexts(value: unknown): boolean {
  // `from` sees the holes of a sparse list.
  return Array.isArray(value) && Array.from(value).every((text) => typeof text === 'string');
}
