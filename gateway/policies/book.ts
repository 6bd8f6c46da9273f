import type { Clock, Delegation } from '@behalf/directives';
import { systemClock } from '@behalf/directives/internal';
import { ConfigurationError } from '../errors.js';
import type { GatewayLog } from '../log.js';
import type { PolicyEvaluator, PolicyFunction } from './evaluator.js';

export const DEFAULT_POLICY_TIMEOUT_MS = 1_000;

/** The evaluator of each policy of one supergraph version. */
export class PolicyBook {
  readonly #answers = new Map<string, PolicyFunction>();

  readonly #timeoutMs: number;
  readonly #log: GatewayLog;
  readonly #clock: Clock;

  /** @throws {ConfigurationError} if two evaluators answer the same policy, or one cannot */
  constructor(
    evaluators: readonly PolicyEvaluator[],
    policies: ReadonlySet<string>,
    timeoutMs: number,
    log: GatewayLog,
    clock: Clock = systemClock,
  ) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#log = log;
    const answeredBy = new Map<string, string>();
    for (const evaluator of evaluators) {
      const { name } = evaluator;
      for (const [policy, answer] of evaluator.prepare(policies)) {
        const other = answeredBy.get(policy);
        if (other !== undefined) {
          throw new ConfigurationError('policies', `"${policy}" is answered by ${other} and by ${name}`);
        }
        answeredBy.set(policy, name);
        this.#answers.set(policy, answer);
      }
    }
  }

  /**
   * The delegation with the policies that hold for this request: those of its token without an evaluator, and those among the
   * named ones that their evaluator answered with exactly true. Each is evaluated once; nothing is kept for another request.
   */
  async answer(
    names: readonly string[],
    delegation: Delegation,
    operationName: string | undefined,
  ): Promise<Delegation> {
    const asked = names.filter((name) => this.#answers.has(name));
    const isBrought = [...delegation.policies].some((name) => this.#answers.has(name));
    if (asked.length === 0 && !isBrought) return delegation;
    const answers = await Promise.all(asked.map((name) => this.#ask(name, delegation, operationName)));
    // An evaluator alone answers its policies, whatever the token says.
    const policies = new Set([...delegation.policies].filter((name) => !this.#answers.has(name)));
    asked.forEach((name, index) => {
      if (answers[index] === true) policies.add(name);
    });
    return { ...delegation, policies };
  }

  async #ask(name: string, delegation: Delegation, operationName: string | undefined): Promise<boolean> {
    const ended = new AbortController();
    let cancel = (): void => undefined;
    const timeout = new Promise<'timeout'>((resolve) => {
      cancel = this.#clock.after(this.#timeoutMs, () => resolve('timeout'));
    });
    try {
      const answer = this.#answers.get(name)?.(delegation, {
        operationName,
        nowMs: this.#clock.now(),
        signal: ended.signal,
      });
      const answered: unknown = await Promise.race([answer, timeout]);
      if (answered === 'timeout') this.#log.log('warn', 'POLICY_TIMEOUT', { policy: name });
      return answered === true;
    } catch {
      // The error could quote what the policy read.
      this.#log.log('warn', 'POLICY_FAILED', { policy: name });
      return false;
    } finally {
      cancel();
      ended.abort();
    }
  }
}
