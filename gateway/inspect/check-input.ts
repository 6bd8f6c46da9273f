import {
  checkKeys,
  isRecord,
  listOf,
  must,
  oneOf,
  pathInsteadOf,
  RuleTable,
  text,
} from '@behalf/directives/internal';
import type { Check } from '@behalf/directives/internal';
import { isSchema } from 'graphql';
import { ConfigurationError } from '../errors.js';
import { aPolicy } from '../policies/checks.js';

// The tools are called by programs in JavaScript, too. A wrong argument must not end in an error of a library, or in an answer to
// another question.

/** @throws {ConfigurationError} with the path of the argument */
export function checkArgument(path: string, value: unknown, check: Check): void {
  const problem = check(value);
  if (problem !== undefined) refuse(path, problem);
}

function refuse(path: string, problem: string): never {
  throw new ConfigurationError(path, problem);
}

const sdlOf =
  (words: string): Check =>
  (value) =>
    typeof value === 'string' ? pathInsteadOf(words, value) : must(`${words} as a string`, value);

const aSupergraph = sdlOf('the SDL of a composed supergraph');
const aString: Check = (value) => (typeof value === 'string' ? undefined : must('a string', value));
const names = listOf('names', text);

/** @throws {ConfigurationError} */
export function checkCoverage(sdl: unknown, coverage: unknown): void {
  checkArgument('supergraphSdl', sdl, aSupergraph);
  checkArgument('coverage', coverage, oneOf('required', 'open'));
}

/** @throws {ConfigurationError} */
export function checkFile(path: string, value: unknown): void {
  checkArgument(path, value, text);
}

/** @throws {ConfigurationError} unless each is the schema of a subgraph, with its name and address */
export function checkSources(subgraphs: unknown): void {
  if (!Array.isArray(subgraphs)) refuse('subgraphs', must('a list of subgraphs', subgraphs));
  for (const [index, subgraph] of (subgraphs as unknown[]).entries()) {
    const path = `subgraphs[${index}]`;
    if (!isRecord(subgraph)) refuse(path, must('an object, such as { name, url, sdl }', subgraph));
    const known = { name: text, url: aString, sdl: sdlOf('the SDL of a subgraph'), file: text };
    checkKeys(`${path}.`, subgraph, known, { required: ['name', 'sdl'], refuse });
  }
}

const A_DAY = /^\d{4}-\d\d-\d\d$/;

const aTranslation: Check = (value) => {
  const words =
    'an object with a file and its translation: { file, translation: await readTranslation(file) }';
  if (!isRecord(value) || text(value.file) !== undefined) return must(words, value);
  const { translation } = value;
  return isRecord(translation) && translation.fields instanceof Map ? undefined : `must be ${words}`;
};

const LINT: Readonly<Record<string, Check>> = {
  subgraphs: () => undefined,
  supergraph: (value) => (isRecord(value) ? listOf('texts', aString)(value.failures) : aSupergraph(value)),
  policy: aPolicy,
  translations: listOf('translations of the policy', aTranslation),
  today: (value) =>
    typeof value === 'string' && A_DAY.test(value) ? undefined : 'must be a day as text, such as 2026-01-31',
};

/** @throws {ConfigurationError} */
export function checkLintInput(input: unknown): void {
  if (!isRecord(input))
    refuse('the input', must('an object, such as { subgraphs, supergraph, policy, today }', input));
  checkKeys('', input, LINT, { required: ['subgraphs', 'supergraph', 'today'], refuse });
  checkSources(input.subgraphs);
  if (input.policy === undefined && input.translations !== undefined)
    refuse('policy', 'is missing: the translations are of it');
}

/** @throws {ConfigurationError} */
export function checkExplainInput(input: unknown): void {
  if (!isRecord(input)) refuse('the input', must('an object, such as { query, delegation }', input));
  const known = { query: aString, file: text, operationName: aString, delegation: aDelegation };
  checkKeys('', input, known, { required: ['query'], refuse });
}

const aDelegation: Check = (value) => {
  const words = 'a delegation, as supposedDelegation makes one';
  if (!isRecord(value)) return must(words, value);
  const sets = ['scopes', 'policies'].filter((key) => !(value[key] instanceof Set));
  return sets.length === 0 ? undefined : `must be ${words}; its ${sets.join(' and ')} must be a Set`;
};

const aLevels: Check = (value) =>
  isRecord(value) && Object.values(value).every((each) => names(each) === undefined)
    ? undefined
    : must("lists of levels by category or field, such as { location: ['city'] }", value);

/** @throws {ConfigurationError} */
export function checkHeld(held: unknown): void {
  if (!isRecord(held)) refuse('held', must('an object, such as { scopes: [] }', held));
  const known = { scopes: names, purposes: names, policies: names, levels: aLevels, client: text };
  checkKeys('', held, known, { required: [], refuse });
}

/** @throws {ConfigurationError} */
export function checkInspected(path: string, value: unknown): void {
  const isInspected = isRecord(value) && value.rules instanceof RuleTable && isSchema(value.apiSchema);
  if (!isInspected) refuse(path, 'must be a supergraph that was read: inspectSupergraph(sdl, coverage)');
}
