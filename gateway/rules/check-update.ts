import type { Policy } from '@behalf/policy';
import { isPolicy } from '@behalf/policy/internal';
import { anObject, checkKeys, isRecord, must } from '@behalf/directives/internal';
import type { Check } from '@behalf/directives/internal';
import { ConfigurationError } from '../errors.js';
import { aPolicy, evaluatorList } from '../policies/index.js';
import { supergraphText } from '../supergraph-text.js';
import type { PolicyEvaluator } from '../policies/index.js';

/**
 * A replacement for the current supergraph, policy and evaluators, by the names that they have as options. Anything left out
 * stays, and so do policies as functions.
 */
export interface RulesUpdate {
  readonly supergraphSdl?: string | undefined;
  readonly policy?: Policy | undefined;
  readonly policies?: { readonly evaluators?: readonly PolicyEvaluator[] | undefined } | undefined;
}

const UPDATE: Readonly<Record<keyof RulesUpdate, Check>> = {
  supergraphSdl: supergraphText,
  policy: aPolicy,
  policies: anObject,
};
const POLICIES: Readonly<Record<string, Check>> = {
  evaluators: evaluatorList,
};
const ELSEWHERE: Readonly<Record<string, string>> = {
  policyEvaluators: 'is now policies.evaluators',
  evaluators: 'is a key of policies: { policies: { evaluators } }',
};
const ELSEWHERE_IN_POLICIES: Readonly<Record<string, string>> = {
  functions: 'stays as it was given to protectGateway',
  timeoutMs: 'stays as it was given to protectGateway',
  cedar: 'give policies.evaluators: [await cedarEvaluator(text)]',
};

/**
 * Checks an update before any of it is used: one with a misspelt key would change less than its author believes.
 *
 * @throws {ConfigurationError} with the path of the key
 */
export function checkUpdate(update: unknown): RulesUpdate {
  if (isPolicy(update)) refuse('policy', 'is the update itself; give it as { policy }');
  if (!isRecord(update)) refuse('the update', must('an object, such as { supergraphSdl, policy }', update));
  checkKeys('', update, UPDATE, { required: [], refuse, elsewhere: ELSEWHERE });
  const { policies } = update as RulesUpdate;
  if (policies !== undefined)
    checkKeys('policies.', policies, POLICIES, {
      required: [],
      refuse,
      elsewhere: ELSEWHERE_IN_POLICIES,
    });
  return update;
}

function refuse(key: string, problem: string): never {
  throw new ConfigurationError(key, problem);
}
