import type {
  GatewayExecutor,
  GatewayInterface,
  GatewayLoadResult,
  GatewaySchemaLoadOrUpdateCallback,
  GatewayUnsubscriber,
} from '@apollo/server-gateway-interface';
import type { JWK } from 'jose';
import { explainOperation } from './inspect/explain.js';
import type { ExplainInput, ExplainResult } from './inspect/explain.js';
import type { ProtectedResource } from './http/resource-metadata.js';
import type { DocumentStore } from './limit/index.js';
import { limitsPlugin } from './limits-plugin.js';
import type { LimitsPlugin } from './limits-plugin.js';
import { protectedSource } from './options/apollo-config.js';
import type { ProtectedGatewayConfig } from './options/apollo-config.js';
import type { ProtectionOptions } from './options/protection-options.js';
import { normalizeOptions } from './options/normalize.js';
import type { Settings } from './options/settings.js';
import { logOtherAudiences, logWhatIsOff } from './options/what-is-off.js';
import { Pipeline } from './pipeline.js';
import { logForwardedIdentities } from './propagate/forwarded-identities.js';
import { txnTokenExchangeAnswer } from './propagate/txn-token-exchange.js';
import type { TxnTokenExchangeRequest } from './propagate/txn-token-exchange.js';
import { gatewayReadiness } from './readiness.js';
import type { ReadinessCode } from './readiness.js';
import { createProtection } from './protection.js';
import { OPERATIONS_PATH } from './http/refuse-http.js';
import type { Protection } from './protection.js';
import type { IncomingRequest } from './request/incoming-request.js';
import { GatewayRequest, REQUEST, requestOf } from './stages/gateway-request.js';
import type { GatewayContext } from './stages/gateway-request.js';
import type { RulesUpdate } from './rules/check-update.js';
import { SupergraphVersions } from './supergraph-versions.js';

/**
 * Protects a federation: takes the configuration of `new ApolloGateway(…)` and returns what `new ApolloServer({ gateway })`
 * takes.
 *
 * It creates the ApolloGateway itself, because it must read every supergraph before it is served, including updates, and brings
 * its own data sources.
 *
 * @throws {ConfigurationError} for a configuration that would bypass the protection. `load` rejects with `SupergraphError` for
 * a supergraph that must not be served.
 *
 * @example
 * ```ts
 * import { ApolloServer } from '@apollo/server';
 * import { protectGateway } from '@behalf/gateway';
 * import { readFileSync } from 'node:fs';
 *
 * const gateway = protectGateway(
 *   { supergraphSdl: readFileSync('supergraph.graphql', 'utf8') },
 *   {
 *     issuers: [{ issuer: 'https://login.example', audience: 'https://api.example/graphql' }],
 *     propagation: { issuer: 'https://gateway.example' },
 *   },
 * );
 * const server = new ApolloServer({ gateway });
 * ```
 */
export function protectGateway(config: ProtectedGatewayConfig, options: ProtectionOptions): ProtectedGateway {
  return new ProtectedGateway(config, options);
}

/** Adapts the pipeline to the life cycle that Apollo Server expects of a gateway. */
export class ProtectedGateway implements GatewayInterface {
  readonly #settings: Settings;
  readonly #protection: Protection;
  readonly #versions: SupergraphVersions;
  /** The one entry for servers without Apollo's own integrations. */
  readonly pipeline: Pipeline;
  readonly #readiness: ReturnType<typeof gatewayReadiness>;
  readonly #isServed: boolean;
  #stopping: Promise<void> | undefined;

  /** @param isServed by Behalf's server, which logs other audiences itself, when it is complete */
  constructor(config: ProtectedGatewayConfig, options: ProtectionOptions, isServed = false) {
    this.#isServed = isServed;
    const supergraph = protectedSource(config);
    const settings = normalizeOptions(options);
    const protection = createProtection(settings, isServed ? OPERATIONS_PATH : undefined);
    const versions = new SupergraphVersions({ supergraph, config, settings, protection });
    this.#settings = settings;
    this.#protection = protection;
    this.pipeline = new Pipeline(protection.pipeline);
    this.#versions = versions;
    this.#readiness = gatewayReadiness({ settings, protection, versions });
  }

  /**
   * Loads the first supergraph. Apollo Server calls it when it starts.
   *
   * @throws {SupergraphError}
   */
  async load(): Promise<GatewayLoadResult> {
    try {
      logWhatIsOff(this.#settings, this.#protection.log);
      logForwardedIdentities(this.#protection.subgraphHeaders, this.#protection.log);
      await this.#protection.audit.start();
      const { replay } = this.#settings.dpop;
      if (replay.isOwn) await replay.store.open?.();
      await this.#protection.pipeline.limits.counters.open();
      await this.#protection.signer.start();
      this.#protection.revocations?.start();
      await this.#versions.load();
    } catch (error) {
      await this.stop();
      throw error;
    }
    if (!this.#isServed) logOtherAudiences(this.#settings, this.resource, this.#protection.log);
    return { executor: this.#executor };
  }

  onSchemaLoadOrUpdate(callback: GatewaySchemaLoadOrUpdateCallback): GatewayUnsubscriber {
    return this.#versions.subscribe(callback);
  }

  /**
   * Replaces the supergraph, the policy or the evaluators together, between requests, so that no request is decided by parts of
   * two versions. An unacceptable update is refused and logged, and service continues. Updates take turns.
   *
   * @param update the replacement, or a function that reads it when its turn comes
   * @returns whether it is now in service
   */
  replace(update: RulesUpdate | (() => Promise<RulesUpdate>)): Promise<boolean> {
    return this.#versions.replace(update);
  }

  /**
   * Ends streams, timers and connections, and waits for records that are being written. Apollo Server calls it when it stops.
   *
   * @param options.cutSubgraphs cuts off requests to subgraphs, when their clients are gone; default: waits for them
   */
  stop({ cutSubgraphs = false }: { readonly cutSubgraphs?: boolean } = {}): Promise<void> {
    this.#stopping ??= this.#stopOnce(cutSubgraphs);
    return this.#stopping;
  }

  async #stopOnce(cutSubgraphs: boolean): Promise<void> {
    await this.#versions.stop();
    this.#protection.signer.stop();
    await this.#protection.revocations?.close();
    await this.#protection.pipeline.limits.counters.close();
    await this.#versions.closeConnections(cutSubgraphs);
    const { replay } = this.#settings.dpop;
    if (replay.isOwn) await replay.store.close();
    await this.#protection.audit.close();
  }

  readonly #executor: GatewayExecutor = (graphql) => {
    const request =
      requestOf(graphql.context) ??
      new GatewayRequest(incomingOf(graphql.request.http?.headers), this.#settings.clock);
    return this.pipeline.run(request, graphql, this.#versions.versionOf(graphql.schema));
  };

  /**
   * The context value for one HTTP request, which authenticates it before Apollo Server parses the operation: Apollo Server's
   * `context` function.
   *
   * @throws {RefusedError} with the HTTP status and headers of the refusal, which Apollo Server sends; `ConfigurationError` for
   * anything that is not an {@link IncomingRequest}, such as Apollo Server's `{ req, res }`
   */
  async context(incoming: IncomingRequest): Promise<GatewayContext> {
    const request = this.begin(incoming);
    await this.pipeline.admit(request);
    return { [REQUEST]: request };
  }

  /**
   * Begins a request that {@link finish} must end, for servers that need its headers and transaction identifiers.
   *
   * @throws {ConfigurationError} as {@link context}
   */
  begin(incoming: IncomingRequest): GatewayRequest {
    return new GatewayRequest(incoming, this.#settings.clock);
  }

  /** The context value of a request that was begun. @throws {RefusedError} as {@link context} */
  async authenticate(request: GatewayRequest): Promise<GatewayContext> {
    await this.pipeline.admit(request);
    return { [REQUEST]: request };
  }

  /**
   * Ends a request that was begun, when its response is made.
   *
   * @param operations the number in the request: more than one for a batch; default 1
   */
  finish(request: GatewayRequest, operations = 1): Promise<void> {
    return this.pipeline.finish(request, operations);
  }

  /** Apollo Server's valid documents, bounded by bytes: its `documentStore`. */
  get documents(): DocumentStore {
    return this.#protection.pipeline.documents;
  }

  /** The gateway as a protected resource, whose metadata (RFC 9728) its server must serve. Undefined without `externalUrl`. */
  get resource(): ProtectedResource | undefined {
    return this.#protection.resource;
  }

  /**
   * A plugin for Apollo Server that counts each text before it is parsed and validated. Without it the operation is counted
   * after both. It needs {@link documents} as `documentStore`, and `context` from this gateway.
   */
  limitsPlugin(): LimitsPlugin {
    const { documents, limits, authorization } = this.#protection.pipeline;
    return limitsPlugin({
      limiter: limits.limiter,
      suggests: authorization.schemaIntrospection === 'all',
      store: documents,
      refuseUnread: (request, refusal) => this.pipeline.refuseUnread(request, refusal),
    });
  }

  /** The size of the current supergraph's caches; bytes are estimated. */
  cached(): { readonly operations: number; readonly decisions: number; readonly bytes: number } {
    const { current } = this.#versions;
    if (current === undefined) return { operations: 0, decisions: 0, bytes: 0 };
    const { operations, decisions, bytes } = current.authorizer.cached();
    return { operations, decisions, bytes: bytes + current.plans.bytes };
  }

  /** Explains the decision on an operation by the current rules. @throws if there is no supergraph yet */
  explain(input: ExplainInput): ExplainResult {
    const { authorizer, loaded, rules } = this.#versions.required();
    const { limiter } = this.#protection.pipeline.limits;
    return explainOperation(input, authorizer, loaded.apiSchema, { limiter, policy: rules.policy });
  }

  /** Exchanges a transaction token for a workload (RFC 8693), for your own server; Behalf's serves it at `/txn-token`. */
  async exchangeTxnToken(
    request: TxnTokenExchangeRequest,
  ): Promise<ReturnType<typeof txnTokenExchangeAnswer>> {
    const { authorizer } = this.#versions.required();
    const outcome = await this.#protection.signer.exchange(request, authorizer);
    await this.#protection.recorder.recordTokenExchange(outcome);
    return txnTokenExchangeAnswer(outcome, this.#settings.clock);
  }

  /** The public keys of the transaction tokens (RFC 7517), to serve to the subgraphs. */
  jwks(): Promise<{ readonly keys: readonly JWK[] }> {
    return this.#protection.signer.jwks();
  }

  /** Signs with a new key from now on; the one before stays published. */
  rotateKeys(privateJwk?: JWK): Promise<void> {
    return this.#protection.signer.rotateKeys(privateJwk);
  }

  /**
   * Why requests would not be served, by code; empty if they would. It looks at what the gateway depends on: the supergraph, its
   * keys and the issuers', the revocation view, and the stores of the audit (mode `required`) and of used proofs (if every token
   * must be bound to a key). Never rejects; the result is kept for a second. Behalf's server answers it at `/health/ready`.
   *
   * @example
   * ```ts
   * import type { ProtectedGateway } from '@behalf/gateway';
   *
   * export async function readyStatus(gateway: ProtectedGateway): Promise<200 | 503> {
   *   const notReady = await gateway.notReady();
   *   return notReady.length === 0 ? 200 : 503;
   * }
   * ```
   */
  notReady(): Promise<readonly ReadinessCode[]> {
    return this.#readiness.problems();
  }

  /** Whether a supergraph is loaded, and whether the revocation view is fresh. It asks nobody, unlike {@link notReady}. */
  health(): { readonly supergraph: boolean; readonly revocation: 'fresh' | 'stale' | 'not configured' } {
    const view = this.#protection.revocations?.view;
    return {
      supergraph: this.#versions.current !== undefined && !this.#versions.isStopped,
      revocation: view === undefined ? 'not configured' : view.isFresh() ? 'fresh' : 'stale',
    };
  }

  /** The gateway's metrics, in Prometheus' text format. */
  async metrics(): Promise<{ readonly contentType: string; readonly text: string }> {
    const { metrics } = this.#protection;
    return { contentType: metrics.contentType, text: await metrics.text() };
  }
}

/** The headers that Apollo Server passes on, if no context was made for the request. */
function incomingOf(headers: Iterable<[string, string]> | undefined): IncomingRequest {
  const authorization: string[] = [];
  const all: [string, string][] = [...(headers ?? [])];
  let traceparent: string | undefined;
  for (const [name, value] of all) {
    if (name.toLowerCase() === 'authorization') authorization.push(value);
    else if (name.toLowerCase() === 'traceparent') traceparent = value;
  }
  return { authorization, headers: Object.fromEntries(all), traceparent };
}
