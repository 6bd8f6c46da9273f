import type { Policy } from '@behalf/policy';
import { SupergraphError } from '../authorize/index.js';
import { ConfigurationError } from '../errors.js';
import type { GatewayLog, LogCode } from '../log.js';
import type { PolicyEvaluator } from '../policies/index.js';
import type { PolicyRules } from './policy-rules.js';

/** A replacement for the current supergraph, policy and evaluators. Anything left out stays. */
export interface RulesUpdate {
  readonly supergraphSdl?: string | undefined;
  readonly policy?: Policy | undefined;
  readonly policyEvaluators?: readonly PolicyEvaluator[] | undefined;
}

/** Where rules are replaced, all of them together between two requests. */
export interface RulesHolder {
  /** The current supergraph; undefined before the first. */
  readonly sdl: string | undefined;
  readonly rules: PolicyRules;
  makeRules(policy: Policy | undefined, evaluators: readonly PolicyEvaluator[]): PolicyRules;
  /** Another supergraph, with its rules. */
  install(sdl: string, rules: PolicyRules): Promise<void>;
  /** Other rules for the current supergraph. */
  installRules(rules: PolicyRules): void;
}

/** Counts updates, for the metrics. */
export interface ReloadCounter {
  countReload(outcome: 'accepted' | 'refused'): void;
}

/**
 * Replaces everything given, as one. An unacceptable update is refused and logged, and service continues.
 *
 * @returns whether it is now in service
 */
export async function replaceRules(
  holder: RulesHolder,
  update: RulesUpdate | (() => Promise<RulesUpdate>),
  log: GatewayLog,
  counter: ReloadCounter,
): Promise<boolean> {
  let given: RulesUpdate | undefined;
  try {
    given = typeof update === 'function' ? await update() : update;
    const replaced = await applyUpdate(holder, given);
    for (const code of replaced) log.log('info', code);
    if (replaced.length > 0) counter.countReload('accepted');
    return true;
  } catch (error) {
    const isKnown = error instanceof SupergraphError || error instanceof ConfigurationError;
    log.log('error', refusalCode(holder, given, error), {
      reason: isKnown ? error.message : 'it cannot be loaded',
    });
    counter.countReload('refused');
    return false;
  }
}

/** @returns the codes of what is new. @throws if it is unacceptable; then nothing is replaced */
async function applyUpdate(
  holder: RulesHolder,
  { supergraphSdl, policy, policyEvaluators }: RulesUpdate,
): Promise<LogCode[]> {
  const before = holder.rules;
  const hasRules = policy !== undefined || policyEvaluators !== undefined;
  const rules = hasRules
    ? holder.makeRules(policy ?? before.policy, policyEvaluators ?? before.evaluators)
    : before;
  if (supergraphSdl !== undefined && supergraphSdl !== holder.sdl) {
    await holder.install(supergraphSdl, rules);
    return hasRules ? ['SUPERGRAPH_UPDATED', 'POLICY_UPDATED'] : ['SUPERGRAPH_UPDATED'];
  }
  if (!hasRules) return [];
  holder.installRules(rules);
  return ['POLICY_UPDATED'];
}

function refusalCode(holder: RulesHolder, given: RulesUpdate | undefined, error: unknown): LogCode {
  if (given === undefined) {
    // It could not be read: `policy`, `policies`, `policies.cedar`.
    const isOfPolicy = error instanceof ConfigurationError && error.path.startsWith('polic');
    return isOfPolicy ? 'POLICY_REFUSED' : 'SUPERGRAPH_REFUSED';
  }
  const hasRules = given.policy !== undefined || given.policyEvaluators !== undefined;
  const hasSupergraph = given.supergraphSdl !== undefined && given.supergraphSdl !== holder.sdl;
  return hasRules && !hasSupergraph ? 'POLICY_REFUSED' : 'SUPERGRAPH_REFUSED';
}
