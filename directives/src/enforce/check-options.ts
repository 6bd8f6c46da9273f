import { DirectiveError } from '../errors.js';

/** What is wrong with a value, or undefined. */
type Check = (value: unknown) => string | undefined;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const text: Check = (value) =>
  typeof value === 'string' && value !== '' ? undefined : 'must be a string that is not empty';
const aFunction: Check = (value) => (typeof value === 'function' ? undefined : 'must be a function');
const anObject: Check = (value) => (isRecord(value) ? undefined : 'must be an object');
const bytes: Check = (value) => (value instanceof Uint8Array ? undefined : 'must be a Uint8Array');
const address: Check = (value) =>
  typeof value === 'string' && URL.canParse(value) ? undefined : 'must be an absolute address';
const keyList: Check = (value) => (Array.isArray(value) ? undefined : 'must be a list of JSON Web Keys');
const oneOf =
  (...values: readonly string[]): Check =>
  (value) =>
    values.includes(value as string) ? undefined : `must be ${values.join(' or ')}`;
const anything: Check = () => undefined;

const GATEWAY: Readonly<Record<string, Check>> = { issuer: text, jwksUri: address, keys: keyList };

/** Every option that all ways of protecting a subgraph share. */
const SHARED: Readonly<Record<string, Check>> = {
  name: text,
  gateway: anObject,
  coverage: oneOf('required', 'open'),
  enforcement: oneOf('enforce', 'shadow'),
  binding: oneOf('required', 'accepted'),
  replay: anObject,
  nowMs: aFunction,
  pseudonymKey: bytes,
  passOn: anObject,
  revocationSignal: aFunction,
  log: aFunction,
  onRefusedToken: aFunction,
};

export const SCHEMA_OPTIONS: Readonly<Record<string, Check>> = { ...SHARED, rules: anObject };
export const SUBGRAPH_OPTIONS: Readonly<Record<string, Check>> = {
  ...SHARED,
  typeDefs: anything,
  resolvers: anObject,
  transform: aFunction,
};

/**
 * Checks options before anything is built with them. A program in JavaScript has no compiler that does, and a misspelled key or
 * value would protect less than its author believes.
 *
 * @throws {DirectiveError} `INVALID_OPTIONS`, naming the key
 */
export function checkOptions(
  options: unknown,
  known: Readonly<Record<string, Check>>,
  required: readonly string[],
): void {
  if (!isRecord(options)) refuse('the options', 'must be an object');
  checkKeys('', options, known, required);
  const gateway = options.gateway as Readonly<Record<string, unknown>>;
  checkKeys('gateway.', gateway, GATEWAY, ['issuer']);
  if ((gateway.keys === undefined) === (gateway.jwksUri === undefined))
    refuse('gateway', 'needs either jwksUri or keys');
}

function checkKeys(
  prefix: string,
  given: Readonly<Record<string, unknown>>,
  known: Readonly<Record<string, Check>>,
  required: readonly string[],
): void {
  for (const [key, value] of Object.entries(given)) {
    const check = Object.hasOwn(known, key) ? known[key] : undefined;
    if (check === undefined)
      refuse(prefix + key, `is not an option; there are ${Object.keys(known).join(', ')}`);
    const problem = value === undefined ? undefined : check(value);
    if (problem !== undefined) refuse(prefix + key, problem);
  }
  for (const key of required) if (given[key] === undefined) refuse(prefix + key, 'is missing');
}

function refuse(key: string, problem: string): never {
  throw new DirectiveError('INVALID_OPTIONS', `${key}: ${problem}`);
}
