import { createTxnTokenReader, systemClock } from '@behalf/directives/internal';
import type { Clock, VerifiedTxnToken } from '@behalf/directives';
import { ConfigurationError } from '../errors.js';
import type { NamedVocabulary } from './audience.js';
import type { SigningKeys } from './signing-keys.js';
import { mintTxnToken } from './txn-token.js';
import type { TxnTokenSettings } from './txn-token.js';
import { hasRepeatedParameter, readWantedToken, TXN_TOKEN_TYPE } from './wanted-token.js';
import type { Audiences, ExchangeRefusal } from './wanted-token.js';
import { Workloads } from './workloads.js';
import type { WorkloadOptions } from './workloads.js';

/** Which workloads may have a transaction token exchanged for one of another audience. */
export interface TxnTokenExchangeOptions {
  readonly workloads: readonly WorkloadOptions[];
  /** Audiences that are no subgraphs, and what they are told. */
  readonly services?: Readonly<Record<string, NamedVocabulary>>;
  /** How often a transaction may be passed on, one workload after the other. Default 2. */
  readonly maxHops?: number;
}

const DEFAULT_MAX_HOPS = 2;

/** The HTTP request of a workload that wants a token exchanged, for {@link ProtectedGateway.exchangeTxnToken}. */
export interface TxnTokenExchangeRequest {
  /** Every value of the `Authorization` header. */
  readonly authorization: readonly string[];
  readonly form: URLSearchParams;
}

/** The result of an exchange. The reason is for the log and the record. */
export type TxnTokenExchangeOutcome = {
  /** Undefined when no workload was authenticated. */
  readonly workload: string | undefined;
  readonly audience: string | undefined;
  /** Whether the workload may ever ask for it. Any other is a text of its own choice. */
  readonly isNamedAudience: boolean;
} & (
  | {
      readonly token: string;
      readonly expiresAt: number;
      readonly verified: VerifiedTxnToken;
      readonly error?: never;
    }
  | (ExchangeRefusal & { readonly token?: never })
);

export interface TxnTokenExchangeParts extends Audiences {
  readonly keys: SigningKeys;
  readonly propagation: TxnTokenSettings;
}

/**
 * Exchanges a transaction token for one that another audience accepts (RFC 8693; replacement of a Txn-Token in
 * draft-ietf-oauth-transaction-tokens). What it says is what the held one says, less what the audience cannot ask for; it
 * ends when the held one ends; and whoever passed it on is in it.
 */
export class TxnTokenExchange {
  readonly #workloads: Workloads;
  readonly #options: TxnTokenExchangeOptions;
  readonly #clock: Clock;

  /** @throws {ConfigurationError} */
  constructor(options: TxnTokenExchangeOptions, issuer: string, clock: Clock = systemClock) {
    this.#clock = clock;
    this.#options = options;
    if (issuer.includes(',')) throw new ConfigurationError('propagation.issuer', 'must not have a comma');
    this.#workloads = new Workloads(options.workloads, issuer, clock);
  }

  /** The content of tokens for this workload, beyond what its own rules require. */
  extraClaimsFor(name: string): NamedVocabulary | undefined {
    return this.#workloads.get(name)?.carries;
  }

  /** Whether it may exchange tokens. */
  isWorkload(name: string): boolean {
    return this.#workloads.get(name) !== undefined;
  }

  service(name: string): NamedVocabulary | undefined {
    const { services = {} } = this.#options;
    return Object.hasOwn(services, name) ? services[name] : undefined;
  }

  async exchange(
    { authorization, form }: TxnTokenExchangeRequest,
    parts: TxnTokenExchangeParts,
  ): Promise<TxnTokenExchangeOutcome> {
    const audience = form.get('audience') ?? undefined;
    const refused = (refusal: ExchangeRefusal, workload?: WorkloadOptions): TxnTokenExchangeOutcome => ({
      workload: workload?.name,
      audience,
      isNamedAudience: audience !== undefined && workload?.audiences.includes(audience) === true,
      ...refusal,
    });
    if (hasRepeatedParameter(form)) return refused({ error: 'invalid_request', reason: 'REPEATED' });
    const workload = await this.#workloads.authenticate({
      authorization,
      assertionType: form.get('client_assertion_type') ?? undefined,
      assertion: form.get('client_assertion') ?? undefined,
    });
    if (workload === undefined) return refused({ error: 'invalid_client', reason: 'WORKLOAD' });
    const wanted = readWantedToken(form, workload, parts);
    if (wanted.error !== undefined) return refused(wanted, workload);
    const held = await this.#readHeldToken(form.get('subject_token') ?? undefined, workload, parts);
    if (held.error !== undefined) return refused(held, workload);

    const { verified } = held;
    const content = {
      delegation: verified.delegation,
      transactionId: verified.transactionId,
      audience: wanted.audience,
      vocabulary: wanted.vocabulary,
      notAfter: verified.expiresAt,
      boundTo: wanted.requestHash,
      passedOnBy: [...held.passedOnBy, workload.name],
    };
    const token = mintTxnToken(parts.keys, parts.propagation, content, this.#clock);
    return {
      workload: workload.name,
      audience: wanted.audience,
      isNamedAudience: true,
      token,
      expiresAt: verified.expiresAt,
      verified,
    };
  }

  /** The token that is exchanged: made for this workload by this gateway, alive, and not passed on too often. */
  async #readHeldToken(
    token: string | undefined,
    { name }: WorkloadOptions,
    { keys, propagation }: TxnTokenExchangeParts,
  ): Promise<HeldToken | ExchangeRefusal> {
    const trust = { issuer: propagation.issuer, keys: keys.jwks().keys };
    const read = createTxnTokenReader(name, trust, this.#clock);
    const { verified, refusal } = await read(token);
    if (verified === undefined) return { error: 'invalid_request', reason: refusal };
    // No tolerance: the new one would be born dead.
    if (verified.expiresAt <= this.#clock.now() / 1000)
      return { error: 'invalid_request', reason: 'TXN_TOKEN_EXPIRED' };
    const [, ...passedOnBy] = verified.requestingWorkloads;
    if (passedOnBy.length >= (this.#options.maxHops ?? DEFAULT_MAX_HOPS))
      return { error: 'invalid_request', reason: 'HOPS' };
    return { verified, passedOnBy };
  }
}

interface HeldToken {
  readonly verified: VerifiedTxnToken;
  /** The workloads that passed it on, the first one first. */
  readonly passedOnBy: readonly string[];
  readonly error?: never;
}

/** RFC 8693 section 2.2: what goes back over HTTP. */
export function txnTokenExchangeAnswer(
  outcome: TxnTokenExchangeOutcome,
  clock: Pick<Clock, 'now'>,
): {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
} {
  const headers = { 'cache-control': 'no-store' };
  if (outcome.token === undefined) {
    return outcome.error === 'invalid_client'
      ? { status: 401, headers: { ...headers, 'www-authenticate': 'Basic' }, body: { error: outcome.error } }
      : { status: 400, headers, body: { error: outcome.error } };
  }
  return {
    status: 200,
    headers,
    body: {
      access_token: outcome.token,
      issued_token_type: TXN_TOKEN_TYPE,
      token_type: 'N_A',
      expires_in: Math.max(0, Math.floor(outcome.expiresAt - clock.now() / 1000)),
    },
  };
}
