import { DirectiveError } from '../errors.js';
import { kindOf } from '../kind-of.js';
import { nearest } from '../nearest.js';

/** What is wrong with a value, or undefined. */
type Check = (value: unknown) => string | undefined;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const must = (words: string, value: unknown): string => `must be ${words}, not ${kindOf(value)}`;

const text: Check = (value) => {
  if (typeof value !== 'string') return must('a string', value);
  return value === '' ? 'must not be empty' : undefined;
};
const aFunction: Check = (value) => (typeof value === 'function' ? undefined : must('a function', value));
const anObject: Check = (value) => (isRecord(value) ? undefined : must('an object', value));
const bytes: Check = (value) => (value instanceof Uint8Array ? undefined : must('a Uint8Array', value));
const address: Check = (value) => {
  if (typeof value !== 'string') return must('a string', value);
  return URL.canParse(value) ? undefined : 'must be an absolute address, such as https://gateway.example';
};
const keyList: Check = (value) => (Array.isArray(value) ? undefined : must('a list of JSON Web Keys', value));
const coordinateRules: Check = (value) =>
  isRecord(value)
    ? undefined
    : must(
        "an object of directives by schema coordinate, such as { 'Query.balance': { requiresScope: { scope: 'accounts:read' } } }",
        value,
      );
const oneOf =
  (...values: readonly string[]): Check =>
  (value) => {
    if (typeof value !== 'string') return must(values.join(' or '), value);
    return values.includes(value) ? undefined : `must be ${values.join(' or ')}${suggestion(value, values)}`;
  };
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

export const SCHEMA_OPTIONS: Readonly<Record<string, Check>> = { ...SHARED, rules: coordinateRules };
export const SUBGRAPH_OPTIONS: Readonly<Record<string, Check>> = {
  ...SHARED,
  typeDefs: anything,
  resolvers: anObject,
  transform: aFunction,
};

/** Options that only one of the two functions has. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  rules: 'is an option of protectSchema; here, write rules as directives in typeDefs',
  typeDefs: 'is an option of buildProtectedSubgraph',
  resolvers: 'is an option of buildProtectedSubgraph',
  transform: 'is an option of buildProtectedSubgraph',
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
  if (!isRecord(options)) refuse('the options', must('an object', options));
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
    if (check === undefined) refuse(prefix + key, unknownKey(key, Object.keys(known)));
    const problem = value === undefined ? undefined : check(value);
    if (problem !== undefined) refuse(prefix + key, problem);
  }
  for (const key of required) if (given[key] === undefined) refuse(prefix + key, 'is missing');
}

function unknownKey(key: string, known: readonly string[]): string {
  if (Object.hasOwn(ELSEWHERE, key) && ELSEWHERE[key] !== undefined) return ELSEWHERE[key];
  const meant = suggestion(key, known);
  return `is not an option${meant === '' ? `; the options are ${known.join(', ')}` : meant}`;
}

function suggestion(word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}

function refuse(key: string, problem: string): never {
  throw new DirectiveError('INVALID_OPTIONS', `${key}: ${problem}`);
}
