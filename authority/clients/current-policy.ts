import { isDeepStrictEqual } from 'node:util';

import type { Clock } from '@behalf/directives';
import {
  comparePolicyWithSchema,
  describeMismatch,
  type Policy,
  PolicyError,
  policyVersion,
  readPolicy,
  readTranslations,
  type SchemaVocabulary,
  type Translation,
  watchFile,
} from '@behalf/policy';
import type { Log } from '@behalf/store';
import { checkClients, type ServingRules } from './check.js';
import type { ClientRegistration } from '../client-registration.js';
import type { AccountRegister } from '../accounts/register.js';
import { AuthorityError } from '../errors.js';
import { Languages } from '../language/languages.js';
import type { PageMessages } from '../pages/messages/index.js';
import { recordRunningPolicy } from './running-policy.js';
import type { AuthorityDatabase } from '../schema.js';

const RECORD_RETRY_MS = 5_000;

/** @see CurrentPolicy */
export interface CurrentPolicyOptions {
  readonly db: AuthorityDatabase;
  readonly policy: Policy;
  readonly translations: readonly Translation[];
  /** The file that the policy is reloaded from; without one it never changes. */
  readonly file: string | undefined;
  readonly translationFiles: readonly string[];
  /** Of the options. */
  readonly messages: Readonly<Record<string, PageMessages>> | undefined;
  readonly vocabulary: SchemaVocabulary;
  /** The clients of the options, which every policy must fit. */
  readonly clients: readonly ClientRegistration[];
  readonly accounts: Pick<AccountRegister, 'isSubject'>;
  readonly rules: ServingRules;
  readonly log: Log;
  readonly clock: Clock;
}

/** A policy, and the languages in which people are asked about it: read, checked and replaced as one. */
export interface PolicyInForce {
  readonly policy: Policy;
  readonly translations: readonly Translation[];
  readonly languages: Languages;
}

/**
 * The policy in force. It is checked whenever it changes, as at the start: a policy that cannot be used is logged and refused, and
 * the current one stays.
 */
export class CurrentPolicy {
  readonly #options: CurrentPolicyOptions;
  readonly #closing = new AbortController();
  #inForce: PolicyInForce;
  #reloading: Promise<void> = Promise.resolve();

  constructor(options: CurrentPolicyOptions) {
    this.#options = options;
    const { messages, policy, translations } = options;
    this.#inForce = { policy, translations, languages: new Languages(policy, translations, messages) };
  }

  get inForce(): PolicyInForce {
    return this.#inForce;
  }

  /** Records the policy, and reloads it whenever its file, or one of its translations, changes. */
  async start(): Promise<void> {
    await this.#record();
    const { clock, file, translationFiles } = this.#options;
    const { signal } = this.#closing;
    for (const each of [...(file === undefined ? [] : [file]), ...translationFiles])
      watchFile(each, () => this.reload(), { clock, signal });
  }

  close(): void {
    this.#closing.abort();
  }

  /** Reads the files again, one call after the other, so that the newest content wins. Never rejects. */
  reload(): Promise<void> {
    this.#reloading = this.#reloading.then(() => this.#reload());
    return this.#reloading;
  }

  async #reload(): Promise<void> {
    const { file, log, messages, policy: given, translationFiles } = this.#options;
    if (file === undefined && translationFiles.length === 0) return;
    try {
      const policy = file === undefined ? given : await readPolicy(file);
      const translations = await readTranslations(translationFiles, policy);
      await this.#check(policy);
      const languages = new Languages(policy, translations, messages);
      if (this.#isInForce(policy, translations)) return;
      this.#inForce = { policy, translations, languages };
      log.log('info', 'POLICY_RELOADED', {
        version: policyVersion(policy),
        languages: languages.tags.join(' '),
      });
      // A store that is away does not keep the new policy from being in force.
      await this.#record().catch(() => this.#recordLater());
    } catch (error) {
      const isExpected = error instanceof PolicyError || error instanceof AuthorityError;
      // Any other error may quote what it failed on.
      const reason = isExpected ? `${error.code}: ${error.message}` : 'unexpected error';
      log.log('error', 'POLICY_REFUSED', { reason });
    }
  }

  #isInForce(policy: Policy, translations: readonly Translation[]): boolean {
    const present = this.#inForce;
    return (
      policyVersion(policy) === policyVersion(present.policy) &&
      isDeepStrictEqual(translations, present.translations)
    );
  }

  async #record(): Promise<void> {
    await recordRunningPolicy(this.#options.db, this.#inForce.policy);
  }

  #recordLater(): void {
    const { signal } = this.#closing;
    if (signal.aborted) return;
    const retry = (): void => void this.#record().catch(() => this.#recordLater());
    const cancel = this.#options.clock.after(RECORD_RETRY_MS, retry);
    signal.addEventListener('abort', cancel, { once: true });
  }

  /** @throws AuthorityError `POLICY_MISMATCH`, `CLIENT_INVALID` */
  async #check(policy: Policy): Promise<void> {
    const { accounts, clients, rules, vocabulary } = this.#options;
    const mismatch = describeMismatch(comparePolicyWithSchema(policy, vocabulary));
    if (mismatch !== undefined) throw new AuthorityError('POLICY_MISMATCH', mismatch);
    await checkClients(clients, { ...rules, accounts, policy });
  }
}
