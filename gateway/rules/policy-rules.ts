import type { Clock } from '@behalf/directives';
import { policyVersion } from '@behalf/policy';
import type { Policy } from '@behalf/policy';
import { PolicyCeiling } from '../authorize/ceiling.js';
import type { RateCounters } from '../limit/rate-counters.js';
import { RateLimit } from '../limit/rate-limit.js';
import type { GatewayLog } from '../log.js';
import type { PolicyEvaluator } from '../policies/index.js';

/**
 * Everything that follows from the policy file and the evaluators' files. It is replaced as a whole, and one version decides a
 * request.
 */
export interface PolicyRules {
  readonly policy: Policy | undefined;
  /** The policy's version, for records. */
  readonly version: string | undefined;
  readonly ceiling: PolicyCeiling | undefined;
  readonly rateLimit: RateLimit | undefined;
  /** In addition to policies as functions, which no file replaces. */
  readonly evaluators: readonly PolicyEvaluator[];
}

/** The rules that authenticate new requests. They are replaced together with the supergraph that uses them. */
export interface RulesInForce {
  current: PolicyRules;
}

export interface RulesParts {
  /** They outlive the rules: a new policy does not renew the budget of an unchanged class. */
  readonly counters: RateCounters;
  readonly log: GatewayLog;
  readonly clock: Clock;
}

export function makeRules(
  policy: Policy | undefined,
  evaluators: readonly PolicyEvaluator[],
  { counters, log, clock }: RulesParts,
): PolicyRules {
  return {
    policy,
    version: policy === undefined ? undefined : policyVersion(policy),
    evaluators,
    ceiling: policy === undefined ? undefined : new PolicyCeiling(policy, log, clock),
    rateLimit: policy === undefined ? undefined : new RateLimit(policy, counters),
  };
}
