import type { Delegation } from '@behalf/directives';
import type { GatewayLog } from './log.js';

/** What a policy may look at, beside the delegation. */
export interface PolicyRequest {
  readonly operationName: string | undefined;
}

/** Answers one policy. Anything but exactly `true` denies; so does throwing, and taking longer than a second. */
export type PolicyFunction = (delegation: Delegation, request: PolicyRequest) => boolean | Promise<boolean>;

const POLICY_TIMEOUT_MS = 1_000;

/**
 * The delegation with the policies that hold for this request: those that its token brought, and those of the named ones
 * that a function answered. Each function is asked once.
 */
export async function answerPolicies(
  names: readonly string[],
  delegation: Delegation,
  request: PolicyRequest,
  functions: ReadonlyMap<string, PolicyFunction>,
  log: GatewayLog,
): Promise<Delegation> {
  const asked = names.filter((name) => functions.has(name));
  const isBrought = [...delegation.policies].some((name) => functions.has(name));
  if (asked.length === 0 && !isBrought) return delegation;
  const answers = await Promise.all(
    asked.map((name) => answer(name, functions.get(name), delegation, request, log)),
  );
  // A policy that has a function is answered by it alone, whatever the token says.
  const policies = new Set([...delegation.policies].filter((name) => !functions.has(name)));
  asked.forEach((name, index) => {
    if (answers[index] === true) policies.add(name);
  });
  return { ...delegation, policies };
}

async function answer(
  name: string,
  policy: PolicyFunction | undefined,
  delegation: Delegation,
  request: PolicyRequest,
  log: GatewayLog,
): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<'timeout'>((resolve) => {
    timer = setTimeout(() => resolve('timeout'), POLICY_TIMEOUT_MS);
  });
  try {
    const answered: unknown = await Promise.race([policy?.(delegation, request), timeout]);
    if (answered === 'timeout') log.log('warn', 'POLICY_TIMEOUT', { policy: name });
    return answered === true;
  } catch {
    log.log('warn', 'POLICY_FAILED', { policy: name });
    return false;
  } finally {
    clearTimeout(timer);
  }
}
