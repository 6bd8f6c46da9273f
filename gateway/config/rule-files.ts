import type { Clock } from '@behalf/directives';
import { watchFile } from '@behalf/policy';
import type { Policy } from '@behalf/policy';
import type { PolicyEvaluator } from '../policies/index.js';
import type { RulesUpdate } from '../rules/check-update.js';
import type { CheckedConfig } from './config.js';
import { readNamedFile } from '../named-file.js';
import { openPolicies, policyFile } from './open.js';

interface Texts {
  readonly supergraph: string;
  readonly policy: string | undefined;
  readonly cedar: string | undefined;
}

/** The initial rules. */
export interface FirstRules {
  readonly supergraphSdl: string;
  readonly policy: Policy | undefined;
  readonly policies: { readonly evaluators: readonly PolicyEvaluator[] };
}

/** Replaces the current rules; never rejects. */
export interface RulesTarget {
  replace(read: () => Promise<RulesUpdate>): Promise<boolean>;
}

/**
 * The files of rules: the supergraph, the policy, and Cedar's. They are read and replaced together, because a policy and a
 * supergraph that name different scopes are refused, and a change to both arrives as two file changes.
 */
export class RuleFiles {
  readonly #config: CheckedConfig;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  /** Their content at the last read, accepted or not. */
  #tried: Texts | undefined;
  /** Their current content. */
  #served: Texts | undefined;
  #target: RulesTarget | undefined;

  constructor(config: CheckedConfig, clock: Clock) {
    this.#clock = clock;
    this.#config = config;
  }

  /** @throws {ConfigurationError} for an unreadable or invalid file */
  async first(): Promise<FirstRules> {
    const texts = await this.#read();
    this.#tried = texts;
    this.#served = texts;
    return { supergraphSdl: texts.supergraph, ...(await this.#rules()) };
  }

  /** Replaces the target's rules when a file changes, until {@link close}, and now if one has changed since {@link first}. */
  async watch(target: RulesTarget): Promise<void> {
    this.#target = target;
    const { supergraph, policy, policies } = this.#config;
    const whenChanged = async (): Promise<void> => {
      await this.#replace(false);
    };
    for (const file of [supergraph, policy, policies.cedar])
      if (file !== undefined)
        watchFile(file, whenChanged, { signal: this.#closing.signal, clock: this.#clock });
    await whenChanged();
  }

  /** Rereads all files, changed or not. @returns whether they are now in service; the log has the reason if not */
  reload(): Promise<boolean> {
    return this.#replace(true);
  }

  close(): void {
    this.#closing.abort();
  }

  /** @param isAsked whether an operator asked, who wants to know again why the files are refused */
  async #replace(isAsked: boolean): Promise<boolean> {
    let given: Texts | undefined;
    const isServed = await this.#target?.replace(async () => {
      const texts = await this.#read();
      const isNew = this.#tried === undefined || !isSame(texts, this.#tried);
      this.#tried = texts;
      if (!isNew && !isAsked) return {};
      given = texts;
      const hasNewRules = texts.policy !== this.#served?.policy || texts.cedar !== this.#served?.cedar;
      const { supergraph: supergraphSdl } = texts;
      return hasNewRules ? { supergraphSdl, ...(await this.#rules()) } : { supergraphSdl };
    });
    if (isServed === true && given !== undefined) this.#served = given;
    return isServed ?? false;
  }

  /** @throws {ConfigurationError} */
  async #rules(): Promise<Omit<FirstRules, 'supergraphSdl'>> {
    const { policy } = this.#config;
    return {
      policy: policy === undefined ? undefined : await policyFile(policy),
      policies: { evaluators: await openPolicies(this.#config) },
    };
  }

  async #read(): Promise<Texts> {
    const { supergraph, policy, policies } = this.#config;
    return {
      supergraph: await readNamedFile(supergraph, 'supergraph'),
      policy: policy === undefined ? undefined : await readNamedFile(policy, 'policy'),
      cedar: policies.cedar === undefined ? undefined : await readNamedFile(policies.cedar, 'policies.cedar'),
    };
  }
}

function isSame(one: Texts, other: Texts): boolean {
  return one.supergraph === other.supergraph && one.policy === other.policy && one.cedar === other.cedar;
}
