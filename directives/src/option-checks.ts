import { isRecord } from './is-record.js';
import type { Clock } from './clock.js';
import { kindOf } from './kind-of.js';
import { nearest } from './nearest.js';

/** Describes the problem of an option's value, as the rest of a sentence that begins with its key; undefined if it has none. */
export type Check = (value: unknown) => string | undefined;

/** Makes the caller's own kind of error. It does not return. */
export type RefuseOption = (key: string, problem: string) => never;

export const must = (words: string, value: unknown): string => `must be ${words}, not ${kindOf(value)}`;

export const text: Check = (value) => {
  if (typeof value !== 'string') return must('a string', value);
  return value === '' ? 'must not be empty' : undefined;
};
/** One line without the marks of SDL that has a separator of folders, or ends like the name of a file. */
const LIKE_A_PATH = /^[^\n{}"@()]*(?:[\\/][^\n{}"@()]*|\.\w+)$/;

/** The problem of a path in place of SDL, as the rest of a sentence that begins with its key; undefined for anything else. */
export function pathInsteadOf(words: string, sdl: string): string | undefined {
  return LIKE_A_PATH.test(sdl.trim())
    ? `must be ${words}, not the path of a file; read the file as 'utf8'`
    : undefined;
}

export const aFunction: Check = (value) =>
  typeof value === 'function' ? undefined : must('a function', value);
/** @param words what is counted: `milliseconds` */
export const wholeNumber =
  (words: string, least: number, most: number): Check =>
  (value) => {
    if (typeof value !== 'number') return must(`a number of ${words}`, value);
    const isUsable = Number.isInteger(value) && value >= least && value <= most;
    return isUsable ? undefined : `must be a whole number of ${words}, from ${least} to ${most}`;
  };
const MAX_PORT = 65_535;
export const aPort: Check = (value) => {
  if (typeof value !== 'number') return must('the number of a port', value);
  const isUsable = Number.isInteger(value) && value >= 0 && value <= MAX_PORT;
  return isUsable ? undefined : `must be a port, from 0 (any free one) to ${MAX_PORT}`;
};
export const aBoolean: Check = (value) =>
  typeof value === 'boolean' ? undefined : must('true or false', value);
export const anObject: Check = (value) => (isRecord(value) ? undefined : must('an object', value));
/** A class instance as well as an object, with these methods. */
export const withMethods =
  (words: string, methods: readonly string[]): Check =>
  (value) => {
    if (typeof value !== 'object' || value === null) return must(words, value);
    const missing = methods.find((name) => typeof (value as Record<string, unknown>)[name] !== 'function');
    return missing === undefined ? undefined : `must be ${words}; its ${missing} is not a function`;
  };
const CLOCK_METHODS: readonly (keyof Clock)[] = ['now', 'monotonic', 'after', 'sleep'];
export const aClock: Check = withMethods('a clock', CLOCK_METHODS);
export const aLog: Check = withMethods('a log', ['log']);
/** The driver takes this for a server, or for a local socket, and anything else for the name of a database. */
const POSTGRES_ADDRESS = /^(?:postgres(?:ql)?:\/\/|socket:|\/)/i;
const POSTGRES_URL = /^postgres/i;
/** A connection string. It may contain a password, so no sentence repeats it. */
export const aDatabaseUrl: Check = (value) => {
  if (typeof value !== 'string' || value === '') return text(value);
  if (!POSTGRES_ADDRESS.test(value)) return 'must begin with postgres:// or postgresql://';
  // As the driver reads it, which takes spaces, and a user without a host for that of a local socket.
  const address = value.replaceAll(' ', '%20').replace('@/', '@localhost/');
  if (!POSTGRES_URL.test(value) || URL.canParse(address)) return undefined;
  return 'must be of the form postgres://user:password@host:port/name';
};
export const anything: Check = () => undefined;

/** `entry` checks each; a problem of one names its place. */
export const listOf =
  (words: string, entry: Check): Check =>
  (value) => {
    if (!Array.isArray(value)) return must(`a list of ${words}`, value);
    // `map` would pass over the holes of a sparse list.
    const problems = Array.from(value, entry);
    const at = problems.findIndex((problem) => problem !== undefined);
    return at === -1 ? undefined : `${problems[at] ?? ''}, at place ${at + 1} of the list`;
  };

export const oneOf =
  (...values: readonly string[]): Check =>
  (value) => {
    if (typeof value === 'string' && values.includes(value)) return undefined;
    return `must be one of ${values.join(', ')}${typeof value === 'string' ? suggestion(value, values) : ''}`;
  };

/** A path and a key below it, as a person writes them. A dot within a key is not a step. */
export function keyPath(above: string, key: string): string {
  const step = /^$|[.[\]]/.test(key) ? JSON.stringify(key) : key;
  return above === '' ? step : `${above}.${step}`;
}

/**
 * Checks options that must be an object. See {@link checkKeys}.
 *
 * @param path of the object, without a dot; empty for the options themselves
 */
export function checkObject(
  path: string,
  given: unknown,
  known: Readonly<Record<string, Check>>,
  rules: { readonly required: readonly string[]; readonly refuse: RefuseOption },
): void {
  if (!isRecord(given)) rules.refuse(path === '' ? 'the options' : path, must('an object', given));
  checkKeys(path === '' ? '' : `${path}.`, given, known, rules);
}

/** As {@link checkObject}, for each object of a list. */
export function checkObjects(
  path: string,
  given: unknown,
  known: Readonly<Record<string, Check>>,
  rules: { readonly required: readonly string[]; readonly refuse: RefuseOption },
): void {
  if (!Array.isArray(given)) rules.refuse(path, must('a list', given));
  Array.from(given as readonly unknown[]).forEach((entry, index) =>
    checkObject(`${path}[${index}]`, entry, known, rules),
  );
}

/**
 * Checks the members of one object of options. A program in JavaScript has no compiler that does, and a misspelt key would do
 * less than its author believes. A key that is given as undefined counts as absent.
 *
 * @param prefix the path of the object, with its dot: `streams[0].`
 * @param elsewhere what to say of keys that belong to something else
 */
export function checkKeys(
  prefix: string,
  given: Readonly<Record<string, unknown>>,
  known: Readonly<Record<string, Check>>,
  rules: {
    readonly required: readonly string[];
    readonly refuse: RefuseOption;
    readonly elsewhere?: Readonly<Record<string, string>>;
  },
): void {
  const { required, refuse, elsewhere = {} } = rules;
  for (const [key, value] of Object.entries(given)) {
    const problem = Object.hasOwn(known, key)
      ? value === undefined
        ? undefined
        : known[key]?.(value)
      : (own(elsewhere, key) ?? unknownName(key, Object.keys(known), 'option'));
    if (problem !== undefined) refuse(prefix + keyPath('', key), problem);
  }
  for (const key of required) if (given[key] === undefined) refuse(prefix + key, 'is missing');
}

function own(record: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** The problem of a name that is not in a list, as the rest of a sentence that begins with the name. */
export function unknownName(name: string, known: readonly string[], what: string): string {
  const meant = suggestion(name, known);
  if (known.length === 0) return `is not an ${what}; there is none`;
  return `is not an ${what}${meant === '' ? `; the ${what}s are ${known.join(', ')}` : meant}`;
}

function suggestion(word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}
