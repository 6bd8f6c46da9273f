import { graphqlRequestHash } from '@behalf/directives/internal';
import type { JWK } from 'jose';
import type { AuditOutcome } from '@behalf/audit';
import type { Policy } from '@behalf/policy';
import { dpopRules } from './authenticate/dpop/options.js';
import type { DpopOptions, DpopRules } from './authenticate/dpop/options.js';
import { DpopProofs } from './authenticate/dpop/proof.js';
import { Authenticator } from './authenticate/index.js';
import type { AuthenticatedToken } from './authenticate/index.js';
import { Issuers } from './authenticate/issuers.js';
import type { IssuerOptions } from './authenticate/issuers.js';
import { tokenLifetimes } from './authenticate/lifetime.js';
import { SenderConstraint } from './authenticate/sender-constraint.js';
import { requireTrustedAddresses } from './authenticate/trusted-addresses.js';
import type { OperationAuthorizer, SubgraphVocabulary } from './authorize/index.js';
import { ConfigurationError, RefusedError } from './errors.js';
import type { Exchange } from './exchange.js';
import { Challenges } from './http/present-challenge.js';
import { ProtectedResource } from './http/resource-metadata.js';
import type { IntrospectionRule } from './introspection/index.js';
import { RequestLimits } from './limit/request-limits.js';
import type { LimitOptions } from './limit/request-limits.js';
import { silentLog, unfailingLog } from './log.js';
import { GatewayMetrics } from './metrics.js';
import type { GatewayLog } from './log.js';
import { DEFAULT_POLICY_TIMEOUT_MS, functionEvaluator, PolicyBook } from './policies/index.js';
import type { PolicyEvaluator, PolicyFunction } from './policies/index.js';
import { audienceVocabulary } from './propagate/audience.js';
import type { AudienceVocabulary } from './propagate/audience.js';
import type { SubgraphRequest } from './propagate/data-source.js';
import { PassingOn } from './propagate/pass-on.js';
import type { PassOnOptions, PassOnOutcome, PassOnRequest } from './propagate/pass-on.js';
import { SigningKeys } from './propagate/signing-keys.js';
import { compileSubgraphHeaders } from './propagate/subgraph-headers.js';
import type { SubgraphHeaders } from './propagate/subgraph-headers.js';
import { optionsOfSubgraph } from './propagate/subgraph-options.js';
import type { SubgraphsOptions } from './propagate/subgraph-options.js';
import { mintTxnToken } from './propagate/txn-token.js';
import type { PropagationOptions } from './propagate/txn-token.js';
import { HookQueue } from './revocation/hooks.js';
import type { RevocationHooks } from './revocation/hooks.js';
import { SsfReceiver } from './revocation/receiver.js';
import type { StreamOptions } from './revocation/receiver.js';
import { suspended } from './revocation/refusal.js';
import { RevocationView } from './revocation/view.js';
import { makeRules } from './rules.js';
import type { PolicyRules } from './rules.js';
import { sealExchange, sealPassingOn } from './seal/seal.js';
import type { AuditOptions } from './seal/seal.js';
import type { SubgraphErrorOptions } from './subgraph-errors/options.js';

/**
 * `filter`: what is denied is null. `reject`: an operation with a denial is refused as a whole. `shadow`: nothing changes for
 * the client; the denials that would be go to the log and the record.
 */
export type AuthorizationMode = 'filter' | 'reject' | 'shadow';

export interface RevocationOptions {
  readonly streams: readonly StreamOptions[];
  /** Default 75,000: two long polls of 30 s and time to be late. */
  readonly maxStalenessMs?: number;
  /** For issuers with a stream that do not say their own. Default 3,600. A token that claims a longer life is refused. */
  readonly maxTokenLifetimeSeconds?: number;
  readonly maxEntries?: number;
  /** How this gateway is called where somebody waits for all of them. Default: host name and process. */
  readonly instance?: string;
}

export interface ProtectionOptions extends RevocationHooks {
  /** How large an operation may be. Every limit has a default. */
  readonly limits?: LimitOptions;
  readonly issuers: readonly IssuerOptions[];
  /**
   * The address under which clients reach the gateway. With it every challenge names the metadata of the protected resource
   * (RFC 9728), which is then to be served.
   */
  readonly externalUrl?: string;
  readonly dpop?: DpopOptions;
  /** Whether `Incoming.clientCertificate` is told where there is one; for the metadata. Default: false. */
  readonly knowsClientCertificates?: boolean;
  readonly authorization?: {
    readonly mode?: AuthorizationMode;
    readonly anonymous?: 'allow' | 'refuse';
    /** `required`: a field without a rule that is not `@public` is refused. Default `open`, as the standard has it. */
    readonly coverage?: 'required' | 'open';
    /** Errors with a path of their own for each denied selection, and for each that a failed subgraph left null. Default 20. */
    readonly maxPathsPerSelection?: number;
    /** Errors of one answer; then one that says how many more there are. Default 1,000. */
    readonly maxErrors?: number;
  };
  /** Default `authenticated`. */
  readonly introspection?: IntrospectionRule;
  readonly propagation: PropagationOptions & {
    /** Ed25519 private key (RFC 8037); default: one is made for as long as the gateway runs. */
    readonly key?: JWK;
    /**
     * A key signs for so long; the one that takes over has been published since the one before did. Longer than subgraphs keep a
     * key set (10 minutes). Default: as long as the gateway runs.
     */
    readonly rotateKeysAfterSeconds?: number;
    /** Workloads that may have a transaction token exchanged for one of another audience. Default: none. */
    readonly passOn?: PassOnOptions;
  };
  readonly revocation?: RevocationOptions;
  /** Default `off`. */
  readonly audit?: AuditOptions;
  /** Policies that are functions, by name. */
  readonly policies?: Readonly<Record<string, PolicyFunction>>;
  /** Further evaluators, such as one of a Cedar file. No two may answer one policy. */
  readonly policyEvaluators?: readonly PolicyEvaluator[];
  /** Default 1,000. A policy that takes longer denies. */
  readonly policyTimeoutMs?: number;
  /** What clients may hold at most, and how often they may ask. It must name the scopes that the supergraph names. */
  readonly policy?: Policy;
  /** How subgraphs are reached, and what they are told beside the transaction token, by subgraph name. */
  readonly subgraphs?: SubgraphsOptions;
  /** Which words of subgraphs' errors reach a client or the log. Default: messages of `BAD_USER_INPUT` reach the client. */
  readonly subgraphErrors?: SubgraphErrorOptions;
  readonly log?: GatewayLog;
}

const DEFAULT_MAX_STALENESS_MS = 75_000;

/** Everything that the pipeline decides and signs with, made once from the options. */
export class Protection {
  readonly mode: AuthorizationMode;
  readonly introspection: IntrospectionRule;
  readonly log: GatewayLog;
  readonly metrics: GatewayMetrics;
  readonly revocation: RevocationView | undefined;
  readonly challenges: Challenges;
  readonly limits: RequestLimits;
  readonly subgraphHeaders: ReadonlyMap<string, SubgraphHeaders>;
  /** Undefined where the gateway does not know its address. */
  readonly resource: ProtectedResource | undefined;
  private readonly authenticator: Authenticator;
  /** By which requests are decided from now on. */
  rules: PolicyRules;
  private readonly receivers: readonly SsfReceiver[];
  private readonly keys: Promise<SigningKeys>;
  private signingKeys: SigningKeys | undefined;
  private rotating: NodeJS.Timeout | undefined;
  private readonly passingOn: PassingOn | undefined;
  /** By what the schema of one supergraph version asks for. */
  private readonly vocabularies = new WeakMap<SubgraphVocabulary, AudienceVocabulary>();
  /** Whose record was handed to the log. */
  private readonly sealed = new WeakSet<Exchange>();

  constructor(readonly options: ProtectionOptions) {
    this.mode = options.authorization?.mode ?? 'filter';
    this.introspection = options.introspection ?? 'authenticated';
    this.log = unfailingLog(options.log ?? silentLog);
    const { policy, policyEvaluators = [], revocation } = options;
    this.limits = new RequestLimits({
      limits: options.limits,
      isShadow: this.mode === 'shadow',
      log: this.log,
    });
    this.rules = this.makeRules(policy, policyEvaluators);
    this.subgraphHeaders = compileSubgraphHeaders(options.subgraphs);
    requireTrustedAddresses(options.issuers, revocation?.streams ?? []);
    const lifetimes = tokenLifetimes(options);
    const issuers = new Set(lifetimes.keys());
    for (const { issuer } of revocation?.streams ?? []) {
      // Tokens of an issuer without a stream are not looked up: a stream under a mistaken name would leave its own so.
      if (!issuers.has(issuer))
        throw new ConfigurationError('revocation.streams', `${issuer} is none of the issuers`);
    }
    const hooks = new HookQueue(options, this.log);
    this.revocation =
      revocation === undefined || revocation.streams.length === 0
        ? undefined
        : new RevocationView({
            issuers: revocation.streams.map(({ issuer }) => issuer),
            maxStalenessMs: revocation.maxStalenessMs ?? DEFAULT_MAX_STALENESS_MS,
            maxTokenLifetimeSeconds: Math.max(
              ...revocation.streams.map(({ issuer }) => lifetimes.get(issuer) ?? 0),
            ),
            ...(revocation.maxEntries === undefined ? {} : { maxEntries: revocation.maxEntries }),
            whenRevoked: (what, atSeconds) => hooks.tell(what, atSeconds),
          });
    const view = this.revocation;
    const { audit } = options;
    this.metrics = new GatewayMetrics({
      auditLost: () => (audit === undefined || audit.mode === 'off' ? 0 : audit.sink.lost),
      revocationAgeSeconds: () => view?.ageSeconds,
    });
    const trusted = new Issuers(options.issuers);
    this.receivers =
      view === undefined
        ? []
        : (revocation?.streams ?? []).map((stream) => {
            const { instance } = revocation ?? {};
            const named = instance === undefined ? stream : { ...stream, instance };
            const { allowInsecureIssuer = false } =
              options.issuers.find(({ issuer }) => issuer === stream.issuer) ?? {};
            const receiver = { ...named, allowInsecureIssuer };
            return new SsfReceiver(receiver, view, this.log, (issuer) => trusted.refreshKeys(issuer));
          });
    const dpop = dpopRules(options.dpop ?? {}, [...issuers]);
    this.resource = protectedResource(options, dpop, () => {
      const { policy: present } = this.rules;
      return present === undefined ? undefined : [...present.scopes.keys()];
    });
    this.challenges = new Challenges(dpop, this.resource);
    this.authenticator = new Authenticator({
      issuers: trusted,
      anonymous: options.authorization?.anonymous ?? 'allow',
      revocation: this.revocation,
      // Of an issuer that is none of them, no token lives.
      maxTokenLifetimeSeconds: (issuer) => lifetimes.get(issuer) ?? 0,
      senderConstraint: new SenderConstraint({
        proofs: new DpopProofs(dpop),
        isDpopRequired: dpop.isDpopRequired,
      }),
    });
    const { passOn } = options.propagation;
    this.passingOn = passOn === undefined ? undefined : new PassingOn(passOn, options.propagation.issuer);
    this.keys = SigningKeys.create(options.propagation.key);
    // Who starts the gateway awaits it; here it must only not count as unhandled.
    this.keys.catch(() => undefined);
  }

  async start(): Promise<void> {
    await this.limits.counters.open();
    this.signingKeys = await this.keys;
    for (const receiver of this.receivers) receiver.start();
    const { rotateKeysAfterSeconds } = this.options.propagation;
    if (rotateKeysAfterSeconds === undefined || this.rotating !== undefined) return;
    this.rotating = setInterval(() => {
      this.rotateKeys().catch(() => this.log.log('error', 'SIGNING_KEY_NOT_ROTATED'));
    }, rotateKeysAfterSeconds * 1000);
    this.rotating.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.rotating);
    await Promise.all(this.receivers.map((receiver) => receiver.close()));
    await this.limits.counters.close();
  }

  /** The public keys of the transaction tokens (RFC 7517). */
  async jwks(): Promise<{ readonly keys: readonly JWK[] }> {
    return (await this.keys).jwks();
  }

  async rotateKeys(privateJwk?: JWK): Promise<void> {
    await (await this.keys).rotate(privateJwk);
  }

  /** @throws {RefusedError} */
  async authenticate(exchange: Exchange): Promise<void> {
    const authenticated = await this.authenticator.authenticate(exchange.incoming);
    const verified = authenticated?.token;
    // From here on nobody sees what the token held of stopped scopes, or beyond its client's ceiling.
    exchange.verified = verified;
    exchange.rules = this.rules;
    const token = verified === undefined ? undefined : this.cut(verified, this.rules);
    if (authenticated?.nextNonce !== undefined)
      exchange.responseHeaders.set('dpop-nonce', authenticated.nextNonce);
    exchange.token = token;
    exchange.delegation = token?.delegation;
    exchange.authenticated = true;
    // After the exchange knows whose request it was: that a suspended client goes on asking is on record.
    if (token !== undefined) this.refuseSuspended(token);
  }

  private cut(token: AuthenticatedToken, { ceiling }: PolicyRules): AuthenticatedToken {
    const left = this.revocation?.suspensions.withoutStopped(token) ?? token;
    return ceiling?.apply(left) ?? left;
  }

  /**
   * The rules that go with the supergraph that an operation is executed by. When they were replaced since its token was
   * verified, the token is cut anew, so that nothing is decided by parts of two.
   */
  adopt(exchange: Exchange, rules: PolicyRules): void {
    if (exchange.rules === rules) return;
    exchange.rules = rules;
    if (exchange.verified === undefined) return;
    exchange.token = this.cut(exchange.verified, rules);
    exchange.delegation = exchange.token.delegation;
  }

  /** What follows from a policy and its evaluators. */
  makeRules(policy: Policy | undefined, evaluators: readonly PolicyEvaluator[]): PolicyRules {
    return makeRules(policy, evaluators, this.limits.counters, this.log);
  }

  /** @throws {RefusedError} */
  private refuseSuspended(token: AuthenticatedToken): void {
    const code = this.revocation?.suspensions.codeFor(token);
    if (code !== undefined) throw suspended(code);
  }

  /** Puts an operation on record that was refused before it could reach the pipeline. @throws {RefusedError} */
  async refuseUnread(exchange: Exchange, refusal: RefusedError): Promise<RefusedError> {
    const unread = exchange.forOperation();
    try {
      if (!unread.counted) await this.limits.countRequest(unread);
      await this.seal(unread, 'refused', refusal.refusal.code);
      return refusal;
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      if (!this.sealed.has(unread)) await this.seal(unread, 'refused', error.refusal.code);
      return error;
    } finally {
      unread.span.end();
    }
  }

  /** Authenticates and counts before an operation is read; a refusal is sealed. @throws {RefusedError} */
  async authenticateFirst(exchange: Exchange): Promise<void> {
    try {
      await this.authenticate(exchange);
      await this.limits.countRequest(exchange);
    } catch (error) {
      if (error instanceof RefusedError) {
        const { code, reason } = error.refusal;
        const outcome = exchange.authenticated ? 'refused' : 'authentication-failed';
        await this.seal(exchange, outcome, reason ?? code);
        this.challenges.complete([error], exchange.incoming);
      }
      exchange.span.end();
      throw error;
    }
  }

  /**
   * Ends an exchange whose operation may not have come as far as the pipeline, because it could not be read or does not fit
   * the schema. Whoever looks for what there is that way is on record too. No data leaves, so nobody waits for the log.
   */
  async finish(exchange: Exchange, operations: number): Promise<void> {
    try {
      if (!exchange.authenticated) return;
      // Of a batch, each operation that came as far as the pipeline took an exchange of its own.
      const reached = exchange.family.filter((each) => this.sealed.has(each)).length;
      for (let missing = operations - reached; missing > 0; missing -= 1) {
        const unread = exchange.forOperation();
        // Looking for what there is has its limit, in a batch as well. There is nothing left to refuse.
        if (!unread.counted) await this.limits.countRequest(unread).catch(() => undefined);
        await this.seal(unread, 'refused', 'OPERATION_INVALID');
        unread.span.end();
      }
    } catch {
      // That the record is missing was logged.
    } finally {
      // A span that has ended does not record.
      if (exchange.span.isRecording()) exchange.span.end();
    }
  }

  /** Who answers the policies of one version of the supergraph. @throws {ConfigurationError} */
  policyBook(authorizer: OperationAuthorizer, rules: PolicyRules): PolicyBook {
    const { policies, policyTimeoutMs = DEFAULT_POLICY_TIMEOUT_MS } = this.options;
    const evaluators = [
      ...(policies === undefined ? [] : [functionEvaluator(policies)]),
      ...rules.evaluators,
    ];
    return new PolicyBook(evaluators, authorizer.policies, policyTimeoutMs, this.log);
  }

  /**
   * The transaction token for one request of a subgraph; none for a caller without a delegation. Unless tokens are bound to
   * what is sent, one is minted for each transaction and subgraph.
   */
  txnToken(
    exchange: Exchange,
    subgraph: string,
    authorizer: OperationAuthorizer,
    sent: SubgraphRequest,
  ): string | undefined {
    const { delegation, token: accessToken, txnTokens, transactionId } = exchange;
    if (delegation === undefined || accessToken === undefined) return undefined;
    const isBound = this.options.propagation.bind === 'body';
    const minted = isBound ? undefined : txnTokens.get(subgraph);
    if (minted !== undefined) return minted;
    const boundTo = isBound ? graphqlRequestHash(sent) : undefined;
    const vocabulary = this.vocabularyOf(subgraph, authorizer);
    if (vocabulary === undefined || this.signingKeys === undefined || (isBound && boundTo === undefined)) {
      throw new Error(`no transaction token can be made for subgraph "${subgraph}"`);
    }
    const token = mintTxnToken(this.signingKeys, this.options.propagation, {
      delegation,
      transactionId,
      audience: subgraph,
      vocabulary,
      notAfter: Math.min(accessToken.expiresAt, delegation.consent?.until ?? Number.POSITIVE_INFINITY),
      boundTo,
    });
    if (!isBound) txnTokens.set(subgraph, token);
    return token;
  }

  /**
   * Exchanges a transaction token for one that another audience accepts, and puts that on record.
   *
   * @throws {RefusedError} 503 `AUDIT_UNAVAILABLE` in audit mode `required`.
   */
  async passOn(request: PassOnRequest, authorizer: OperationAuthorizer): Promise<PassOnOutcome> {
    if (this.passingOn === undefined) throw new Error('no workload may pass transactions on');
    const service = (audience: string): AudienceVocabulary | undefined => {
      const named = this.passingOn?.service(audience);
      return named === undefined
        ? undefined
        : audienceVocabulary(undefined, named, this.passingOn?.carriedBy(audience));
    };
    const outcome = await this.passingOn.exchange(request, {
      keys: await this.keys,
      propagation: this.options.propagation,
      // A service by the name of a subgraph is that subgraph: what its schema asks for is known.
      vocabularyOf: (audience) => this.vocabularyOf(audience, authorizer) ?? service(audience),
      isSubgraph: (audience) => authorizer.vocabularies.has(audience),
    });
    if (outcome.token === undefined) {
      this.log.log('warn', 'TXN_TOKEN_NOT_EXCHANGED', {
        reason: outcome.reason,
        ...(outcome.workload === undefined ? {} : { workload: outcome.workload }),
      });
    }
    await sealPassingOn(outcome, this.options.audit ?? { mode: 'off' }, this.log);
    return outcome;
  }

  /** What a token for this subgraph may say; undefined when the supergraph has no such subgraph. */
  private vocabularyOf(subgraph: string, authorizer: OperationAuthorizer): AudienceVocabulary | undefined {
    const schema = authorizer.vocabularies.get(subgraph);
    if (schema === undefined) return undefined;
    const known = this.vocabularies.get(schema);
    if (known !== undefined) return known;
    const { roles = [] } = optionsOfSubgraph(this.options.subgraphs, subgraph);
    const vocabulary = audienceVocabulary(schema, { roles }, this.passingOn?.carriedBy(subgraph));
    this.vocabularies.set(schema, vocabulary);
    return vocabulary;
  }

  /** Makes the record first: nothing that is counted or logged of a request can keep it from being made. */
  seal(exchange: Exchange, outcome: AuditOutcome, reason: string | undefined): Promise<void> {
    this.sealed.add(exchange);
    const sealed = sealExchange(exchange, outcome, reason, this.options.audit ?? { mode: 'off' }, this.log);
    this.tell(exchange, outcome, reason);
    return sealed;
  }

  private tell(exchange: Exchange, outcome: AuditOutcome, reason: string | undefined): void {
    try {
      this.metrics.count(exchange, outcome, reason);
    } catch {
      this.log.log('error', 'METRICS_FAILED', { transaction: exchange.transactionId });
    }
    for (const [subgraph, entries] of exchange.accounts.disbelieved) {
      this.log.log('error', 'SUBGRAPH_FACTS_MALFORMED', {
        subgraph,
        entries,
        transaction: exchange.transactionId,
      });
    }
    if (outcome === 'authentication-failed' || outcome === 'failed') {
      this.log.log('warn', outcome === 'failed' ? 'REQUEST_FAILED' : 'AUTHENTICATION_FAILED', {
        transaction: exchange.transactionId,
        ...(reason === undefined ? {} : { reason }),
      });
    }
  }
}

function protectedResource(
  options: ProtectionOptions,
  dpop: DpopRules,
  scopes: () => readonly string[] | undefined,
): ProtectedResource | undefined {
  const { externalUrl, issuers, knowsClientCertificates = false } = options;
  if (externalUrl === undefined) return undefined;
  return new ProtectedResource({
    externalUrl,
    issuers: issuers.map(({ issuer }) => issuer),
    scopes,
    dpopAlgorithms: dpop.algorithms,
    isDpopRequired: dpop.isAlwaysRequired,
    knowsClientCertificates,
  });
}
