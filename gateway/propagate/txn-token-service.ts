import type { Clock } from '@behalf/directives';
import { every, graphqlRequestHash } from '@behalf/directives/internal';
import type { JWK } from 'jose';
import type { OperationAuthorizer, SubgraphVocabulary } from '../authorize/index.js';
import { ConfigurationError } from '../errors.js';
import type { GatewayLog } from '../log.js';
import { audienceVocabulary } from './audience.js';
import type { AudienceVocabulary } from './audience.js';
import type { SubgraphRequest } from './data-source.js';
import type { PropagationSettings } from './propagation-settings.js';
import type { Propagation } from './propagation.js';
import { SigningKeys } from './signing-keys.js';
import { optionsOfSubgraph } from './subgraph-options.js';
import type { SubgraphsOptions } from './subgraph-options.js';
import { TxnTokenExchange } from './txn-token-exchange.js';
import type { TxnTokenExchangeOutcome, TxnTokenExchangeRequest } from './txn-token-exchange.js';
import { mintTxnToken } from './txn-token.js';

export interface TxnTokenServiceOptions {
  readonly propagation: PropagationSettings;
  readonly subgraphs: SubgraphsOptions;
  readonly log: GatewayLog;
  readonly clock: Clock;
}

/** The gateway as a transaction token service (draft-ietf-oauth-transaction-tokens section 6): it does all signing. */
export class TxnTokenService {
  readonly #options: TxnTokenServiceOptions;
  readonly #keys: Promise<SigningKeys>;
  #loadedKeys: SigningKeys | undefined;
  #stopRotating: (() => void) | undefined;
  readonly #exchange: TxnTokenExchange | undefined;
  /** By the requirements of one supergraph version's schema. */
  readonly #vocabularies = new WeakMap<SubgraphVocabulary, AudienceVocabulary>();

  /** @throws {ConfigurationError} for workloads that cannot be distinguished, or could not authenticate */
  constructor(options: TxnTokenServiceOptions) {
    this.#options = options;
    const { propagation, clock } = options;
    const { passOn, issuer, key } = propagation;
    this.#exchange = passOn === undefined ? undefined : new TxnTokenExchange(passOn, issuer, clock);
    this.#keys = SigningKeys.create(key);
    // `start` awaits it; until then this prevents an unhandled rejection.
    this.#keys.catch(() => undefined);
  }

  /** @throws Node's or jose's error for an unusable key */
  async start(): Promise<void> {
    this.#loadedKeys = await this.#keys;
    const { rotateKeysAfterSeconds } = this.#options.propagation;
    if (rotateKeysAfterSeconds === undefined || this.#stopRotating !== undefined) return;
    this.#stopRotating = every(this.#options.clock, rotateKeysAfterSeconds * 1000, () => {
      this.rotateKeys().catch(() => this.#options.log.log('error', 'SIGNING_KEY_NOT_ROTATED'));
    });
  }

  /** Whether tokens can be signed. */
  get hasKey(): boolean {
    return this.#loadedKeys !== undefined;
  }

  stop(): void {
    this.#stopRotating?.();
  }

  /** The public keys of the transaction tokens (RFC 7517). */
  async jwks(): Promise<{ readonly keys: readonly JWK[] }> {
    return (await this.#keys).jwks();
  }

  async rotateKeys(privateJwk?: JWK): Promise<void> {
    await (await this.#keys).rotate(privateJwk);
  }

  /**
   * The transaction token for one subgraph request; undefined for an anonymous caller. Unless tokens are bound to requests,
   * there is one per transaction and subgraph.
   */
  tokenFor(
    propagation: Propagation,
    subgraph: string,
    authorizer: OperationAuthorizer,
    sent: SubgraphRequest,
  ): string | undefined {
    const { delegation, token: accessToken, txnTokens, exchange } = propagation;
    if (delegation === undefined || accessToken === undefined) return undefined;
    const isBound = this.#options.propagation.bind === 'body';
    const minted = isBound ? undefined : txnTokens.get(subgraph);
    if (minted !== undefined) return minted;
    const boundTo = isBound ? graphqlRequestHash(sent) : undefined;
    const vocabulary = this.#vocabularyOf(subgraph, authorizer);
    if (vocabulary === undefined || this.#loadedKeys === undefined || (isBound && boundTo === undefined))
      throw new Error(`no transaction token can be made for subgraph "${subgraph}"`);
    const content = {
      delegation,
      transactionId: exchange.transactionId,
      audience: subgraph,
      vocabulary,
      notAfter: Math.min(accessToken.expiresAt, delegation.consent?.until ?? Number.POSITIVE_INFINITY),
      boundTo,
    };
    const token = mintTxnToken(this.#loadedKeys, this.#options.propagation, content, this.#options.clock);
    if (!isBound) txnTokens.set(subgraph, token);
    return token;
  }

  /** Exchanges a transaction token for one that another audience accepts (RFC 8693). */
  async exchange(
    request: TxnTokenExchangeRequest,
    authorizer: OperationAuthorizer,
  ): Promise<TxnTokenExchangeOutcome> {
    const exchange = this.#exchange;
    if (exchange === undefined)
      throw new ConfigurationError('propagation.passOn', 'names no workload that may exchange tokens');
    const serviceVocabulary = (audience: string): AudienceVocabulary | undefined => {
      const named = exchange.service(audience);
      return named === undefined
        ? undefined
        : {
            ...audienceVocabulary(undefined, named, exchange.extraClaimsFor(audience)),
            isKeyedByPurposes: this.#passesOnPurposes(audience, authorizer),
          };
    };
    return exchange.exchange(request, {
      keys: await this.#keys,
      propagation: this.#options.propagation,
      // A service with the name of a subgraph is that subgraph, whose schema shows what it requires.
      vocabularyOf: (audience) => this.#vocabularyOf(audience, authorizer) ?? serviceVocabulary(audience),
      isSubgraph: (audience) => authorizer.vocabularies.has(audience),
    });
  }

  /** Whether an audience may get a token whose values differ by all purposes, so that its own must name them. */
  #passesOnPurposes(audience: string, { vocabularies }: OperationAuthorizer): boolean {
    if (this.#exchange?.isWorkload(audience) !== true) return false;
    return [...vocabularies.values()].some(({ isKeyedByPurposes }) => isKeyedByPurposes);
  }

  /** The permitted content of a token for this subgraph; undefined if the supergraph has no such subgraph. */
  #vocabularyOf(subgraph: string, authorizer: OperationAuthorizer): AudienceVocabulary | undefined {
    const schema = authorizer.vocabularies.get(subgraph);
    if (schema === undefined) return undefined;
    const known = this.#vocabularies.get(schema);
    if (known !== undefined) return known;
    const { roles = [] } = optionsOfSubgraph(this.#options.subgraphs, subgraph);
    const vocabulary = {
      ...audienceVocabulary(schema, { roles }, this.#exchange?.extraClaimsFor(subgraph)),
      isKeyedByPurposes: schema.isKeyedByPurposes || this.#passesOnPurposes(subgraph, authorizer),
    };
    this.#vocabularies.set(schema, vocabulary);
    return vocabulary;
  }
}
