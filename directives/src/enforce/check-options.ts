import { Kind } from 'graphql';
import { isRecord } from '../is-record.js';
import { BINDING, checkPassOn, checkTrust, refuseOption } from '../claims/check-trust.js';
import { aFunction, anObject, checkKeys, listOf, must, oneOf, text } from '../option-checks.js';
import type { Check } from '../option-checks.js';

const MIN_PSEUDONYM_KEY_BYTES = 32;

const pseudonymKey: Check = (value) => {
  if (!(value instanceof Uint8Array)) return must('a Uint8Array', value);
  return value.length >= MIN_PSEUDONYM_KEY_BYTES
    ? undefined
    : `must have at least ${MIN_PSEUDONYM_KEY_BYTES} bytes`;
};
const formerKey: Check = (value) => {
  if (!isRecord(value)) return must('an object of a key and until when', value);
  const unknown = Object.keys(value).find((name) => name !== 'key' && name !== 'until');
  if (unknown !== undefined) return `must have a key and until, and no ${unknown}`;
  const problem = pseudonymKey(value.key);
  if (problem !== undefined) return `must have a key that ${problem.replace(/^must (?:be )?/, '')}`;
  const isTime = value.until instanceof Date && !Number.isNaN(value.until.getTime());
  return isTime ? undefined : 'must have until, a valid Date';
};
const coordinateRules: Check = (value) =>
  isRecord(value)
    ? undefined
    : must(
        "an object of directives by schema coordinate, such as { 'Query.balance': { requiresScope: { scope: 'accounts:read' } } }",
        value,
      );

const oneTypeDefs: Check = (value) => {
  if (typeof value === 'string') return value.trim() === '' ? 'must not be empty' : undefined;
  if (typeof value === 'object' && value !== null && 'kind' in value && value.kind === Kind.DOCUMENT)
    return undefined;
  const problem = must('SDL, or a document that graphql parsed, or a list of them', value);
  return value instanceof Uint8Array ? `${problem}; read the file as 'utf8'` : problem;
};
const typeDefs: Check = (value) =>
  Array.isArray(value) ? listOf('SDL and documents', oneTypeDefs)(value) : oneTypeDefs(value);

/** Every option that all ways of protecting a subgraph share. */
const SHARED: Readonly<Record<string, Check>> = {
  name: text,
  gateway: anObject,
  coverage: oneOf('required', 'open'),
  enforcement: oneOf('enforce', 'shadow'),
  ...BINDING,
  pseudonymKey,
  formerPseudonymKeys: listOf('former keys', formerKey),
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
  typeDefs,
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

type Members = Readonly<Record<string, unknown>>;

/**
 * Checks options before anything is built with them. A program in JavaScript has no compiler that does, and a misspelled key or
 * value would protect less than its author believes.
 *
 * @param required the keys that must be there, `gateway` among them
 * @throws {DirectiveError} `INVALID_OPTIONS`, naming the key
 */
export function checkOptions(
  options: unknown,
  known: Readonly<Record<string, Check>>,
  required: readonly string[],
): void {
  if (!isRecord(options)) refuseOption('the options', must('an object', options));
  checkKeys('', options, known, { required, refuse: refuseOption, elsewhere: ELSEWHERE });
  const { gateway, passOn } = options as { readonly gateway: Members; readonly passOn?: Members };
  checkTrust(gateway);
  if (passOn !== undefined) checkPassOn(passOn, gateway);
}
