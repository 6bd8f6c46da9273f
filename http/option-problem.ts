/** What an option can be. */
export interface OptionTest {
  readonly isUsable: (value: unknown) => boolean;
  /** Continues "must be". */
  readonly words: string;
}

/** The longest that a timer waits; a longer one, or NaN, would end at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** `least`: 0 or 1. */
export const milliseconds = (least: number): OptionTest => ({
  isUsable: (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= MAX_TIMER_MS,
  words: `a whole number of milliseconds, from ${least} to ${MAX_TIMER_MS}`,
});
export const aText: OptionTest = {
  isUsable: (value) => typeof value === 'string' && value !== '',
  words: 'a text that is not empty',
};
export const aPort: OptionTest = {
  isUsable: (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 65_535,
  words: 'a port, from 0 (any free one) to 65535',
};

/**
 * The first problem of an object of options, in words that begin with the key; undefined if there is none. A member that is
 * undefined counts as absent. For packages that do not import `@behalf/directives`, whose `checkKeys` suggests spellings.
 */
export function optionProblem(
  given: unknown,
  known: Readonly<Record<string, OptionTest>>,
  required: readonly string[],
): string | undefined {
  if (!isPlain(given)) return 'the options must be a plain object';
  for (const [key, value] of Object.entries(given)) {
    const test = Object.hasOwn(known, key) ? known[key] : undefined;
    if (test === undefined)
      return `${key} is not an option; the options are ${Object.keys(known).join(', ')}`;
    if (value !== undefined && !test.isUsable(value)) return `${key} must be ${test.words}`;
  }
  const missing = required.find((key) => given[key] === undefined);
  return missing === undefined ? undefined : `${missing} is missing`;
}

/** Of a Map, or an object that inherits its content, nothing would be seen. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
