import { PolicyError } from '@behalf/policy';
import type { Policy } from '@behalf/policy';
import { SupergraphError } from '../authorize/index.js';
import { ConfigurationError } from '../errors.js';
import type { GatewayLog, LogCode } from '../log.js';
import type { PolicyEvaluator } from '../policies/index.js';
import { checkUpdate } from './check-update.js';
import type { RulesUpdate } from './check-update.js';
import type { PolicyRules } from './policy-rules.js';

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
 * Replaces everything given, as one. An unacceptable update is refused and logged, and service continues. Never rejects.
 *
 * @returns whether it is now in service
 */
export async function replaceRules(
  holder: RulesHolder,
  update: RulesUpdate | (() => Promise<RulesUpdate>),
  log: GatewayLog,
  counter: ReloadCounter,
): Promise<boolean> {
  let checked: RulesUpdate | undefined;
  try {
    const given: unknown = typeof update === 'function' ? await update() : update;
    checked = checkUpdate(given);
    const replaced = await applyUpdate(holder, checked);
    for (const code of replaced) log.log('info', code);
    if (replaced.length > 0) counter.countReload('accepted');
    return true;
  } catch (error) {
    const code = checked === undefined ? unreadCode(error) : refusalCode(holder, checked);
    log.log('error', code, { reason: reasonOf(error) });
    counter.countReload('refused');
    return false;
  }
}

/** @returns the codes of what is new. @throws if it is unacceptable; then nothing is replaced */
async function applyUpdate(
  holder: RulesHolder,
  { supergraphSdl, policy, policies }: RulesUpdate,
): Promise<LogCode[]> {
  const before = holder.rules;
  const evaluators = policies?.evaluators;
  const hasRules = policy !== undefined || evaluators !== undefined;
  const rules = hasRules
    ? holder.makeRules(policy ?? before.policy, evaluators ?? before.evaluators)
    : before;
  if (supergraphSdl !== undefined && supergraphSdl !== holder.sdl) {
    await holder.install(supergraphSdl, rules);
    return hasRules ? ['SUPERGRAPH_UPDATED', 'POLICY_UPDATED'] : ['SUPERGRAPH_UPDATED'];
  }
  if (!hasRules) return [];
  holder.installRules(rules);
  return ['POLICY_UPDATED'];
}

/** The code of an update that could not be read, or is not an update: `policy` and `policies.cedar` are paths of the policy. */
function unreadCode(error: unknown): LogCode {
  if (error instanceof PolicyError) return 'POLICY_REFUSED';
  if (error instanceof SupergraphError) return 'SUPERGRAPH_REFUSED';
  if (!(error instanceof ConfigurationError)) return 'UPDATE_REFUSED';
  if (/^polic(?:y|ies)\b/.test(error.path)) return 'POLICY_REFUSED';
  return /^supergraph(?:Sdl)?$/.test(error.path) ? 'SUPERGRAPH_REFUSED' : 'UPDATE_REFUSED';
}

function refusalCode(holder: RulesHolder, { supergraphSdl, policy, policies }: RulesUpdate): LogCode {
  const hasRules = policy !== undefined || policies?.evaluators !== undefined;
  const hasSupergraph = supergraphSdl !== undefined && supergraphSdl !== holder.sdl;
  return hasRules && !hasSupergraph ? 'POLICY_REFUSED' : 'SUPERGRAPH_REFUSED';
}

/** Any other error may quote what it failed on. */
function reasonOf(error: unknown): string {
  const isKnown =
    error instanceof SupergraphError || error instanceof ConfigurationError || error instanceof PolicyError;
  return isKnown ? error.message : 'it cannot be loaded';
}
