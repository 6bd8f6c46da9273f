import type { ApolloServerPlugin } from '@apollo/server';
import type {
  GatewayExecutor,
  GatewayInterface,
  GatewayLoadResult,
  GatewaySchemaLoadOrUpdateCallback,
  GatewayUnsubscriber,
} from '@apollo/server-gateway-interface';
import type { JWK } from 'jose';
import type { ApolloGatewayConfig } from './apollo.js';
import { ConfigurationError } from './errors.js';
import { explainOperation } from './explain.js';
import type { ExplainInput, ExplainResult } from './explain.js';
import type { ProtectedResource } from './http/resource-metadata.js';
import { limitsPlugin } from './limit/index.js';
import type { DocumentStore } from './limit/index.js';
import type { ProtectionOptions } from './options/protection-options.js';
import { normalizeOptions } from './options/normalize.js';
import type { Settings } from './options/settings.js';
import { logWhatIsOff } from './options/what-is-off.js';
import { Pipeline } from './pipeline.js';
import { txnTokenExchangeAnswer } from './propagate/txn-token-exchange.js';
import type { TxnTokenExchangeRequest } from './propagate/txn-token-exchange.js';
import { createProtection } from './protection.js';
import type { Protection } from './protection.js';
import type { IncomingRequest } from './request/exchange.js';
import { GatewayRequest, REQUEST, requestOf } from './request/gateway-request.js';
import type { GatewayContext } from './request/gateway-request.js';
import type { RulesUpdate } from './rules-update.js';
import { SupergraphVersions } from './supergraph-versions.js';
import type { SupergraphSource } from './supergraph-versions.js';

/** The options of `new ApolloGateway(…)`, except those that would bypass the protection. */
export type ProtectedGatewayConfig = ApolloGatewayConfig;

/**
 * Protects a federation: takes the configuration of `new ApolloGateway(…)` and returns what
 * `new ApolloServer({ gateway })` takes.
 *
 * It makes the ApolloGateway itself, because it reads every supergraph before it is served, hot updates included, and
 * brings its own data sources.
 *
 * @throws {ConfigurationError} for a configuration that would bypass the protection. `load` rejects with
 *   `SupergraphError` for a supergraph that must not be served.
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
 *     issuers: [{ issuer: 'https://login.example', audience: 'https://api.example' }],
 *     propagation: { issuer: 'https://gateway.example' },
 *   },
 * );
 * const server = new ApolloServer({ gateway });
 * ```
 */
export function protectGateway(config: ProtectedGatewayConfig, options: ProtectionOptions): ProtectedGateway {
  return new ProtectedGateway(config, options);
}

/** Keys of ApolloGateway's configuration that bring data sources or schemas past Behalf. */
const FORBIDDEN_KEYS = [
  'buildService',
  'serviceList',
  'localServiceList',
  'experimental_updateServiceDefinitions',
  'experimental_updateSupergraphSdl',
] as const;

/** Why, where there is more to say than that the key would go past the protection. */
const FORBIDDEN_REASONS: Readonly<Partial<Record<string, string>>> = Object.freeze({
  buildService:
    'would go past the protection; subgraphs.<name>.headers and forwardHeaders say which headers a subgraph gets',
});

/** Adapts the pipeline to the life cycle that Apollo Server expects of a gateway. */
export class ProtectedGateway implements GatewayInterface {
  readonly #settings: Settings;
  readonly #protection: Protection;
  readonly #versions: SupergraphVersions;
  /** The one way in, for servers that do without Apollo's own integrations. */
  readonly pipeline: Pipeline;
  #stopping: Promise<void> | undefined;

  constructor(config: ProtectedGatewayConfig, options: ProtectionOptions) {
    const supergraph = protectedSource(config);
    this.#settings = normalizeOptions(options);
    this.#protection = createProtection(this.#settings);
    this.pipeline = new Pipeline(this.#protection.pipeline);
    this.#versions = new SupergraphVersions({
      supergraph,
      config,
      settings: this.#settings,
      protection: this.#protection,
    });
  }

  /**
   * Loads the first supergraph. Apollo Server calls it when it starts.
   *
   * @throws {SupergraphError}
   */
  async load(): Promise<GatewayLoadResult> {
    try {
      logWhatIsOff(this.#settings, this.#protection.log);
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
    return { executor: this.#executor };
  }

  onSchemaLoadOrUpdate(callback: GatewaySchemaLoadOrUpdateCallback): GatewayUnsubscriber {
    return this.#versions.subscribe(callback);
  }

  /**
   * Replaces the supergraph, the policy or the evaluators: all that is given as one, between requests, so that none is decided
   * by parts of two versions. What must not be served is refused and logged, and what is served stays. Updates take turns.
   *
   * @param update What replaces what is served, or a function that reads it when its turn has come.
   * @returns Whether it is served now.
   */
  replace(update: RulesUpdate | (() => Promise<RulesUpdate>)): Promise<boolean> {
    return this.#versions.replace(update);
  }

  /** Ends streams, timers and connections, and waits for records that are being written. Apollo Server calls it when it stops. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopOnce();
    return this.#stopping;
  }

  async #stopOnce(): Promise<void> {
    await this.#versions.stop();
    this.#protection.signer.stop();
    await this.#protection.revocations?.close();
    await this.#protection.pipeline.limits.counters.close();
    await this.#versions.closeConnections();
    const { replay } = this.#settings.dpop;
    if (replay.isOwn) await replay.store.close();
    await this.#protection.audit.close();
  }

  readonly #executor: GatewayExecutor = (graphql) => {
    const request =
      requestOf(graphql.context) ?? new GatewayRequest(incomingOf(graphql.request.http?.headers));
    return this.pipeline.run(request, graphql, this.#versions.versionOf(graphql.schema));
  };

  /**
   * The context value for one HTTP request, which authenticates it before Apollo Server reads the operation: Apollo Server's
   * `context` function.
   *
   * @throws {RefusedError} With the HTTP status and headers of the refusal, which Apollo Server sends.
   */
  async context(incoming: IncomingRequest): Promise<GatewayContext> {
    const request = this.begin(incoming);
    await this.pipeline.admit(request);
    return { [REQUEST]: request };
  }

  /** Begins a request that {@link finish} must end, for servers that need its headers and transaction identifiers. */
  begin(incoming: IncomingRequest): GatewayRequest {
    return new GatewayRequest(incoming);
  }

  /** The context value of a request that was begun. @throws {RefusedError} as {@link context} */
  async authenticate(request: GatewayRequest): Promise<GatewayContext> {
    await this.pipeline.admit(request);
    return { [REQUEST]: request };
  }

  /**
   * Ends a request that was begun, when its answer is made.
   *
   * @param operations How many the request held: more than one for a batch. Default 1.
   */
  finish(request: GatewayRequest, operations = 1): Promise<void> {
    return this.pipeline.finish(request, operations);
  }

  /** Documents that Apollo Server has parsed and found valid, bounded by their bytes: its `documentStore`. */
  get documents(): DocumentStore {
    return this.#protection.pipeline.documents;
  }

  /**
   * The gateway as a protected resource, whose metadata (RFC 9728) whoever serves the gateway serves as well. Undefined
   * without `externalUrl`.
   */
  get resource(): ProtectedResource | undefined {
    return this.#protection.resource;
  }

  /**
   * A plugin for Apollo Server that counts each text before it is parsed and validated. Without it the operation is counted
   * after both. It needs {@link documents} as `documentStore`, and `context` made by this gateway.
   */
  limitsPlugin(): ApolloServerPlugin<GatewayContext> {
    const { documents, limits, authorization } = this.#protection.pipeline;
    return limitsPlugin({
      limiter: limits.limiter,
      suggests: authorization.schemaIntrospection === 'all',
      store: documents,
      refuseUnread: (request, refusal) => this.pipeline.refuseUnread(request, refusal),
    });
  }

  /** What is kept of operations, decisions and plans of the supergraph that is served; the bytes are estimated. */
  cached(): { readonly operations: number; readonly decisions: number; readonly bytes: number } {
    const { current } = this.#versions;
    if (current === undefined) return { operations: 0, decisions: 0, bytes: 0 };
    const { operations, decisions, bytes } = current.authorizer.cached();
    return { operations, decisions, bytes: bytes + current.plans.bytes };
  }

  /** What would become of an operation, by the rules that are served now. @throws when there is no supergraph yet */
  explain(input: ExplainInput): ExplainResult {
    const { authorizer, loaded } = this.#versions.required();
    return explainOperation(input, authorizer, loaded.apiSchema, this.#protection.pipeline.limits.limiter);
  }

  /**
   * Answers a workload that wants a transaction token for another audience (RFC 8693), for servers of your own; Behalf's
   * serves it at `/txn-token`.
   */
  async exchangeTxnToken(
    request: TxnTokenExchangeRequest,
  ): Promise<ReturnType<typeof txnTokenExchangeAnswer>> {
    const { authorizer } = this.#versions.required();
    const outcome = await this.#protection.signer.exchange(request, authorizer);
    await this.#protection.recorder.recordTokenExchange(outcome);
    return txnTokenExchangeAnswer(outcome);
  }

  /** The public keys of the transaction tokens (RFC 7517), to be served to the subgraphs. */
  jwks(): Promise<{ readonly keys: readonly JWK[] }> {
    return this.#protection.signer.jwks();
  }

  /** Signs with a new key from now on; the one before stays published. */
  rotateKeys(privateJwk?: JWK): Promise<void> {
    return this.#protection.signer.rotateKeys(privateJwk);
  }

  /** Whether requests can be served: a supergraph is loaded, and it is known what was revoked. */
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

/** The supergraph of a configuration that does not go past the protection. @throws {ConfigurationError} */
function protectedSource(config: ProtectedGatewayConfig): SupergraphSource {
  for (const key of FORBIDDEN_KEYS) {
    if (key in config)
      throw new ConfigurationError(key, FORBIDDEN_REASONS[key] ?? 'would go past the protection');
  }
  const { supergraphSdl, queryPlannerConfig, telemetry, debug } = config as {
    debug?: unknown;
    supergraphSdl?: SupergraphSource;
    telemetry?: { includeDocument?: unknown; recordExceptions?: unknown };
    queryPlannerConfig?: { cache?: unknown };
  };
  if (supergraphSdl === undefined)
    throw new ConfigurationError('supergraphSdl', 'is needed: text, or a supergraph manager');
  if (queryPlannerConfig?.cache !== undefined)
    throw new ConfigurationError('queryPlannerConfig.cache', 'would share plans between supergraph versions');
  for (const key of ['includeDocument', 'recordExceptions'] as const) {
    // Literals of documents and messages of errors are people's data.
    if (telemetry?.[key] !== undefined && telemetry[key] !== false)
      throw new ConfigurationError(`telemetry.${key}`, 'would put values into spans');
  }
  // It logs query plans, with the literals of the operation.
  if (debug !== undefined && debug !== false)
    throw new ConfigurationError('debug', 'would put values into the log');
  return supergraphSdl;
}

/** The headers that Apollo Server hands on, where no context was made for the request. */
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
