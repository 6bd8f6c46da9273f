import { isRecord } from '../is-record.js';
import { DirectiveError } from '../errors.js';
import {
  aClock,
  aFunction,
  anObject,
  anything,
  checkKeys,
  must,
  oneOf,
  text,
  withMethods,
} from '../option-checks.js';
import type { Check } from '../option-checks.js';

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

const GATEWAY: Readonly<Record<string, Check>> = { issuer: text, jwksUri: address, keys: keyList };

/** Every option that all ways of protecting a subgraph share. */
const SHARED: Readonly<Record<string, Check>> = {
  name: text,
  gateway: anObject,
  coverage: oneOf('required', 'open'),
  enforcement: oneOf('enforce', 'shadow'),
  binding: oneOf('required', 'accepted'),
  replay: withMethods('a memory of used tokens', ['use']),
  clock: aClock,
  pseudonymKey: bytes,
  passOn: anObject,
  fieldResolver: aFunction,
  subscribeFieldResolver: aFunction,
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
  checkKeys('', options, known, { required, refuse, elsewhere: ELSEWHERE });
  const gateway = options.gateway as Readonly<Record<string, unknown>>;
  checkKeys('gateway.', gateway, GATEWAY, { required: ['issuer'], refuse });
  if ((gateway.keys === undefined) === (gateway.jwksUri === undefined))
    refuse('gateway', 'needs either jwksUri or keys');
}

function refuse(key: string, problem: string): never {
  throw new DirectiveError('INVALID_OPTIONS', `${key}: ${problem}`);
}
