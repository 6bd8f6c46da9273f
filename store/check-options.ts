import { StoreError } from './errors.js';

/** What an option can be: a test, and words that continue "must be". */
type Test = readonly [isUsable: (value: unknown) => boolean, words: string];

const MAX_CONNECTIONS = 262_143;
/** What PostgreSQL takes. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
/** The driver takes this for a server, or for a local socket, and anything else for the name of a database. */
const POSTGRES_ADDRESS = /^(?:postgres(?:ql)?:\/\/|socket:|\/)/i;

const wholeNumber = (least: number, most: number): Test => [
  (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
  `a whole number, from ${least} to ${most}`,
];
const aText: Test = [(value) => typeof value === 'string' && value !== '', 'a text that is not empty'];
const aLog: Test = [
  (value) => typeof value === 'object' && value !== null && 'log' in value && typeof value.log === 'function',
  'a log: an object with a function log',
];
/** It may contain a password, so the words do not repeat it. */
const aDatabaseUrl: Test = [
  (value) => typeof value === 'string' && POSTGRES_ADDRESS.test(value),
  'a connection string: postgres://user:password@host:port/name',
];

const POOL: Readonly<Record<string, Test>> = {
  max: wholeNumber(1, MAX_CONNECTIONS),
  applicationName: aText,
  statementTimeoutMs: wholeNumber(0, MAX_TIMEOUT_MS),
  lockTimeoutMs: wholeNumber(0, MAX_TIMEOUT_MS),
  log: aLog,
};
const SERVER: Readonly<Record<string, Test>> = {
  // Empty, as an unset variable of the environment: none.
  databaseUrl: [(value) => typeof value === 'string', 'a text'],
  dataDir: aText,
  port: wholeNumber(0, 65_535),
  unsafeNoDurability: [(value) => typeof value === 'boolean', 'true or false'],
  log: aLog,
};

/** An empty URL would lead to whatever database the environment names. @throws StoreError `OPTION_INVALID` */
export function checkPoolOptions(url: unknown, options: unknown): void {
  const [isUsable, words] = aDatabaseUrl;
  if (!isUsable(url)) refuse(`url must be ${words}`);
  check(options, POOL);
}

/** @throws StoreError `OPTION_INVALID` */
export function checkServerOptions(options: unknown): void {
  check(options, SERVER);
  const { databaseUrl = '', dataDir } = options as Readonly<Record<string, unknown>>;
  if (databaseUrl === '' && dataDir === undefined) refuse('dataDir is missing');
}

/** By itself, because this package imports no other. */
function check(options: unknown, known: Readonly<Record<string, Test>>): void {
  if (!isPlain(options)) refuse('the options must be a plain object');
  for (const [key, value] of Object.entries(options)) {
    const test = Object.hasOwn(known, key) ? known[key] : undefined;
    if (test === undefined)
      refuse(`${key} is not an option; the options are ${Object.keys(known).join(', ')}`);
    const [isUsable, words] = test;
    if (value !== undefined && !isUsable(value)) refuse(`${key} must be ${words}`);
  }
}

/** Of a Map, or an object that inherits its content, nothing would be seen. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function refuse(problem: string): never {
  throw new StoreError('OPTION_INVALID', problem);
}
