import { createTxnTokenReader } from '@behalf/directives/internal';
import type { VerifiedTxnToken } from '@behalf/directives';
import { ConfigurationError } from '../errors.js';
import type { AudienceVocabulary, NamedVocabulary } from './audience.js';
import type { SigningKeys } from './signing-keys.js';
import { mintTxnToken } from './txn-token.js';
import type { TxnTokenSettings } from './txn-token.js';
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

/** RFC 8693 section 2.1. */
const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:token-exchange';
/** draft-ietf-oauth-transaction-tokens section 7. */
const TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:txn_token';
const DEFAULT_MAX_HOPS = 2;
/** SHA-256, base64url. */
const REQUEST_HASH = /^[A-Za-z0-9_-]{43}$/;
const KNOWN_PARAMETERS: ReadonlySet<string> = new Set([
  'grant_type',
  'subject_token',
  'subject_token_type',
  'requested_token_type',
  'audience',
  'request_hash',
  'client_assertion_type',
  'client_assertion',
]);

/** RFC 6749 section 5.2 and RFC 8693 section 2.2.2. */
type OAuthErrorCode = 'invalid_request' | 'invalid_client' | 'invalid_target' | 'unsupported_grant_type';

export interface TxnTokenExchangeRequest {
  /** Every value of the `Authorization` header. */
  readonly authorization: readonly string[];
  readonly form: URLSearchParams;
}

/** What became of it. The reason is for the log and the record. */
export type TxnTokenExchangeOutcome = {
  /** Undefined when nobody showed who he is. */
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
  | { readonly error: OAuthErrorCode; readonly reason: string; readonly token?: never }
);

export interface TxnTokenExchangeParts {
  readonly keys: SigningKeys;
  readonly propagation: TxnTokenSettings;
  /** What a token for an audience may say; undefined for one that there is not. */
  readonly vocabularyOf: (audience: string) => AudienceVocabulary | undefined;
  readonly isSubgraph: (audience: string) => boolean;
}

/**
 * Exchanges a transaction token for one that another audience accepts (RFC 8693; replacement of a Txn-Token in
 * draft-ietf-oauth-transaction-tokens). What it says is what the held one says, less what the audience cannot ask for; it
 * ends when the held one ends; and whoever passed it on is in it.
 */
export class TxnTokenExchange {
  readonly #workloads: Workloads;

  readonly #options: TxnTokenExchangeOptions;

  /** @throws {ConfigurationError} */
  constructor(options: TxnTokenExchangeOptions, issuer: string) {
    this.#options = options;
    if (issuer.includes(',')) throw new ConfigurationError('propagation.issuer', 'must not have a comma');
    this.#workloads = new Workloads(options.workloads, issuer);
  }

  /** What tokens for this workload say beyond what its own rules ask for. */
  extraClaimsFor(name: string): NamedVocabulary | undefined {
    return this.#workloads.get(name)?.carries;
  }

  service(name: string): NamedVocabulary | undefined {
    const { services = {} } = this.#options;
    return Object.hasOwn(services, name) ? services[name] : undefined;
  }

  async exchange(
    { authorization, form }: TxnTokenExchangeRequest,
    { keys, propagation, vocabularyOf, isSubgraph }: TxnTokenExchangeParts,
  ): Promise<TxnTokenExchangeOutcome> {
    const audience = form.get('audience') ?? undefined;
    const refused = (error: OAuthErrorCode, reason: string, workload?: string): TxnTokenExchangeOutcome => ({
      workload,
      audience,
      isNamedAudience:
        audience !== undefined &&
        workload !== undefined &&
        this.#workloads.get(workload)?.audiences.includes(audience) === true,
      error,
      reason,
    });
    // RFC 6749 section 3.2: no parameter twice.
    if (new Set(form.keys()).size !== [...form.keys()].length) return refused('invalid_request', 'REPEATED');
    const workload = await this.#workloads.authenticate({
      authorization,
      assertionType: form.get('client_assertion_type') ?? undefined,
      assertion: form.get('client_assertion') ?? undefined,
    });
    if (workload === undefined) return refused('invalid_client', 'WORKLOAD');
    const { name } = workload;
    if (form.get('grant_type') !== GRANT_TYPE) return refused('unsupported_grant_type', 'GRANT_TYPE', name);
    // To leave out `scope` or `actor_token` would give another token than the one that was asked for.
    if ([...form.keys()].some((key) => !KNOWN_PARAMETERS.has(key)))
      return refused('invalid_request', 'PARAMETER', name);
    if (form.get('subject_token_type') !== TOKEN_TYPE) return refused('invalid_request', 'TOKEN_TYPE', name);
    if ((form.get('requested_token_type') ?? TOKEN_TYPE) !== TOKEN_TYPE)
      return refused('invalid_request', 'REQUESTED_TYPE', name);
    if (audience === undefined || !workload.audiences.includes(audience))
      return refused('invalid_target', 'AUDIENCE', name);
    const vocabulary = vocabularyOf(audience);
    if (vocabulary === undefined) return refused('invalid_target', 'AUDIENCE_UNKNOWN', name);
    const requestHash = form.get('request_hash') ?? undefined;
    if (requestHash !== undefined && !REQUEST_HASH.test(requestHash))
      return refused('invalid_request', 'REQUEST_HASH', name);
    // Where requests are bound, a subgraph's are, whoever sends them.
    if (requestHash === undefined && propagation.bind === 'body' && isSubgraph(audience))
      return refused('invalid_request', 'REQUEST_HASH_MISSING', name);

    // Made for this workload by this gateway, and alive.
    const read = createTxnTokenReader(name, { issuer: propagation.issuer, keys: keys.jwks().keys });
    const { verified, refusal } = await read(form.get('subject_token') ?? undefined);
    if (verified === undefined) return refused('invalid_request', refusal, name);
    // No tolerance: the new one would be born dead.
    if (verified.expiresAt <= Date.now() / 1000) return refused('invalid_request', 'TXN_TOKEN_EXPIRED', name);
    const [, ...passedOnBy] = verified.requestingWorkloads;
    if (passedOnBy.length >= (this.#options.maxHops ?? DEFAULT_MAX_HOPS))
      return refused('invalid_request', 'HOPS', name);
    const token = mintTxnToken(keys, propagation, {
      delegation: verified.delegation,
      transactionId: verified.transactionId,
      audience,
      vocabulary,
      notAfter: verified.expiresAt,
      boundTo: requestHash,
      passedOnBy: [...passedOnBy, name],
    });
    return {
      workload: name,
      audience,
      isNamedAudience: true,
      token,
      expiresAt: verified.expiresAt,
      verified,
    };
  }
}

/** RFC 8693 section 2.2: what goes back over HTTP. */
export function txnTokenExchangeAnswer(outcome: TxnTokenExchangeOutcome): {
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
      issued_token_type: TOKEN_TYPE,
      token_type: 'N_A',
      expires_in: Math.max(0, Math.floor(outcome.expiresAt - Date.now() / 1000)),
    },
  };
}
