import type { Policy } from '@behalf/policy';
import { PolicyCeiling } from './authorize/ceiling.js';
import type { RateCounters } from './limit/rate-counters.js';
import { RateLimit } from './limit/rate-limit.js';
import type { GatewayLog } from './log.js';
import type { PolicyEvaluator } from './policies/index.js';

/**
 * Everything that follows from the policy file and from the files of evaluators. It is replaced as a whole, and a request is
 * decided by one of them.
 */
export interface PolicyRules {
  readonly policy: Policy | undefined;
  readonly ceiling: PolicyCeiling | undefined;
  readonly rateLimit: RateLimit | undefined;
  /** Beside the policies that are functions, which no file replaces. */
  readonly evaluators: readonly PolicyEvaluator[];
}

/** The rules that new requests are authenticated by. They are replaced together with what is served by them. */
export interface RulesInForce {
  current: PolicyRules;
}

/** @param counters They outlive the rules: a new policy gives nobody a new budget under a class that it leaves alone. */
export function makeRules(
  policy: Policy | undefined,
  evaluators: readonly PolicyEvaluator[],
  counters: RateCounters,
  log: GatewayLog,
): PolicyRules {
  return {
    policy,
    evaluators,
    ceiling: policy === undefined ? undefined : new PolicyCeiling(policy, log),
    rateLimit: policy === undefined ? undefined : new RateLimit(policy, counters),
  };
}
