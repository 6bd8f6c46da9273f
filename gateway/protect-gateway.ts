import type {
  GatewayExecutor,
  GatewayInterface,
  GatewayLoadResult,
  GatewaySchemaLoadOrUpdateCallback,
  GatewayUnsubscriber,
} from '@apollo/server-gateway-interface';
import type { ApolloServerPlugin } from '@apollo/server';
import { GraphQLSchema } from 'graphql';
import type { JWK } from 'jose';
import type { Pool } from 'undici';
import type { AuditOutcome } from '@behalf/audit';
import type { ApolloGatewayConfig, SupergraphManager } from './apollo.js';
import type { OperationAuthorizer } from './authorize/index.js';
import { ConfigurationError } from './errors.js';
import type { RefusedError } from './errors.js';
import { Exchange, EXCHANGE, exchangeOf } from './exchange.js';
import type { ExchangeContext, Incoming } from './exchange.js';
import { explainOperation } from './explain.js';
import type { ExplainInput, ExplainResult } from './explain.js';
import type { ProtectedResource } from './http/resource-metadata.js';
import { runPipeline } from './pipeline.js';
import { DocumentStore, limitsPlugin } from './limit/apollo-limits.js';
import { BehalfDataSource, subgraphPool } from './propagate/data-source.js';
import { passOnAnswer } from './propagate/pass-on.js';
import type { PassOnRequest } from './propagate/pass-on.js';
import { optionsOfSubgraph } from './propagate/subgraph-options.js';
import { UnprotectedSubgraphs } from './propagate/unprotected.js';
import { Protection } from './protection.js';
import type { ProtectionOptions } from './protection.js';
import type { PolicyRules } from './rules.js';
import { replaceRules } from './rules-update.js';
import type { RulesHolder, RulesUpdate } from './rules-update.js';
import { createVersion, shareOfCaches, withRules } from './supergraph-version.js';
import type { Version } from './supergraph-version.js';

type SupergraphSource = string | SupergraphManager | SupergraphManager['initialize'];

/** What `new ApolloGateway(…)` takes, less what would go past the protection. */
export type ProtectedGatewayConfig = ApolloGatewayConfig;

const DEFAULT_SUBGRAPH_TIMEOUT_MS = 30_000;

/**
 * Protects a federation: takes the configuration of `new ApolloGateway(…)` and returns what
 * `new ApolloServer({ gateway })` takes.
 *
 * It makes the ApolloGateway itself, because it reads every supergraph before it is served, hot updates included, and
 * brings its own data sources.
 *
 * @throws {ConfigurationError} for a configuration that would bypass the protection. `load` rejects with
 *   `SupergraphError` for a supergraph that must not be served.
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
const FORBIDDEN_REASONS: Readonly<Partial<Record<string, string>>> = Object.freeze({
  buildService:
    'would go past the protection; subgraphs.<name>.headers and forwardHeaders say which headers a subgraph gets',
});

export class ProtectedGateway implements GatewayInterface {
  private readonly protection: Protection;
  /** Documents that Apollo Server has parsed and found valid, bounded by their bytes: its `documentStore`. */
  readonly documents: DocumentStore;
  private readonly listeners = new Set<GatewaySchemaLoadOrUpdateCallback>();
  /** By origin; they outlive a supergraph version. */
  private readonly pools = new Map<string, Pool>();
  private readonly supergraph: SupergraphSource;
  private readonly unprotected: UnprotectedSubgraphs;
  private version: Version | undefined;
  /** A request is executed by the version that it was validated against, also when that was replaced meanwhile. */
  private readonly versions = new WeakMap<GraphQLSchema, Version>();
  private updating: Promise<void> = Promise.resolve();
  private cleanup: (() => Promise<void>) | undefined;
  private stopped = false;
  private stopping: Promise<void> | undefined;

  constructor(
    private readonly config: ProtectedGatewayConfig,
    options: ProtectionOptions,
  ) {
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
    if (supergraphSdl === undefined) {
      throw new ConfigurationError('supergraphSdl', 'is needed: text, or a supergraph manager');
    }
    if (queryPlannerConfig?.cache !== undefined) {
      throw new ConfigurationError(
        'queryPlannerConfig.cache',
        'would share plans between supergraph versions',
      );
    }
    for (const key of ['includeDocument', 'recordExceptions'] as const) {
      // Literals of documents and messages of errors are people's data.
      if (telemetry?.[key] !== undefined && telemetry[key] !== false)
        throw new ConfigurationError(`telemetry.${key}`, 'would put values into spans');
    }
    // It logs query plans, with the literals of the operation.
    if (debug !== undefined && debug !== false)
      throw new ConfigurationError('debug', 'would put values into the log');
    this.supergraph = supergraphSdl;
    this.protection = new Protection(options);
    this.unprotected = new UnprotectedSubgraphs(this.protection.subgraphHeaders, this.protection.log);
    this.documents = new DocumentStore(shareOfCaches(options.limits));
  }

  /** @throws {SupergraphError} */
  async load(): Promise<GatewayLoadResult> {
    try {
      await this.protection.start();
      // In the row of the updates: one that comes while this is loaded is newer, and must not be replaced by it.
      const first = this.updating.then(async () =>
        this.install(await this.firstSupergraph(), this.protection.rules),
      );
      this.updating = first.catch(() => undefined);
      await first;
    } catch (error) {
      await this.stop();
      throw error;
    }
    return { executor: this.executor };
  }

  onSchemaLoadOrUpdate(callback: GatewaySchemaLoadOrUpdateCallback): GatewayUnsubscriber {
    this.listeners.add(callback);
    if (this.version !== undefined) callback(this.version.loaded);
    return () => void this.listeners.delete(callback);
  }

  stop(): Promise<void> {
    this.stopping ??= this.stopOnce();
    return this.stopping;
  }

  private async stopOnce(): Promise<void> {
    this.stopped = true;
    await this.updating;
    await this.cleanup?.();
    this.version?.plans.close();
    await this.version?.gateway.stop();
    await this.protection.close();
    await Promise.all([...this.pools.values()].map((pool) => pool.close()));
  }

  /**
   * Authenticates a request before its operation is read, as a context function of Apollo Server can. Without it the
   * executor does so, from the `Authorization` header that Apollo Server hands on; it then knows neither the address nor the
   * certificate of the client, so tokens that are bound to a key or a certificate are refused.
   *
   * @throws {RefusedError} with the HTTP status and headers in its extensions.
   */
  context(incoming: Incoming): Promise<ExchangeContext> {
    return this.authenticate(this.begin(incoming));
  }

  /** Begins an exchange, for a server that wants to know its transaction id. */
  begin(incoming: Incoming): Exchange {
    return new Exchange(incoming);
  }

  /** The context value of an exchange that was begun. @throws {RefusedError} as `context`. */
  async authenticate(exchange: Exchange): Promise<ExchangeContext> {
    await this.protection.authenticateFirst(exchange);
    return { [EXCHANGE]: exchange };
  }

  /** A refusal of what an exchange asks, with the challenges that go with this gateway. */
  refused(exchange: Exchange, refusal: RefusedError): RefusedError {
    this.protection.challenges.complete([refusal], exchange.incoming);
    return refusal;
  }

  /**
   * The gateway as a protected resource, whose metadata (RFC 9728) whoever serves the gateway serves as well. Undefined
   * without `externalUrl`.
   */
  get resource(): ProtectedResource | undefined {
    return this.protection.resource;
  }

  /**
   * A plugin for Apollo Server that counts each text before it is parsed and validated. Without it the operation is counted
   * after both. It needs {@link documents} as `documentStore`, and `context` made by this gateway.
   */
  limitsPlugin(): ApolloServerPlugin<ExchangeContext> {
    return limitsPlugin(this.protection, this.documents);
  }

  /** What is kept of operations, decisions and plans of the supergraph that is served; the bytes are estimated. */
  cached(): { readonly operations: number; readonly decisions: number; readonly bytes: number } {
    if (this.version === undefined) return { operations: 0, decisions: 0, bytes: 0 };
    const { authorizer, plans } = this.version;
    const { operations, decisions, bytes } = authorizer.cached();
    return { operations, decisions, bytes: bytes + plans.bytes };
  }

  /** What would become of an operation, by the rules that are served now. @throws when there is no supergraph yet */
  explain(input: ExplainInput): ExplainResult {
    if (this.version === undefined) throw new Error('the gateway has no supergraph');
    return explainOperation(
      input,
      this.version.authorizer,
      this.version.loaded.apiSchema,
      this.protection.limits.limiter,
    );
  }

  /** Puts an exchange that ends without the pipeline on record. @throws {RefusedError} in audit mode `required` */
  record(exchange: Exchange, outcome: AuditOutcome, reason: string | undefined): Promise<void> {
    return this.protection.seal(exchange, outcome, reason);
  }

  /**
   * Ends an exchange that was begun, when its answer is made; its operation may have been none that could be executed.
   *
   * @param operations How many the request held: more than one for a batch.
   */
  finish(exchange: Exchange, operations = 1): Promise<void> {
    return this.protection.finish(exchange, operations);
  }

  /**
   * Answers a workload that wants a transaction token for another audience (RFC 8693), for servers of your own; Behalf's
   * serves it at `/txn-token`. Of the body it takes the form.
   */
  async passOn(request: PassOnRequest): Promise<ReturnType<typeof passOnAnswer>> {
    if (this.version === undefined) throw new Error('the gateway has no supergraph');
    return passOnAnswer(await this.protection.passOn(request, this.version.authorizer));
  }

  /** The public keys of the transaction tokens (RFC 7517), to be served to the subgraphs. */
  jwks(): Promise<{ readonly keys: readonly JWK[] }> {
    return this.protection.jwks();
  }

  /** Signs with a new key from now on; the one before stays published. */
  rotateKeys(privateJwk?: JWK): Promise<void> {
    return this.protection.rotateKeys(privateJwk);
  }

  /** Whether requests can be served: a supergraph is loaded, and it is known what was revoked. */
  health(): { readonly supergraph: boolean; readonly revocation: 'fresh' | 'stale' | 'not configured' } {
    const { revocation } = this.protection;
    return {
      supergraph: this.version !== undefined && !this.stopped,
      revocation: revocation === undefined ? 'not configured' : revocation.isFresh() ? 'fresh' : 'stale',
    };
  }

  /** What was counted, in Prometheus' text format. */
  metrics(): Promise<{ readonly contentType: string; readonly text: string }> {
    const { metrics } = this.protection;
    return metrics.text().then((text) => ({ contentType: metrics.contentType, text }));
  }

  private readonly executor: GatewayExecutor = async (request) => {
    const served = this.versions.get(request.schema) ?? this.version;
    if (served === undefined) throw new Error('the gateway has no supergraph');
    const exchange =
      exchangeOf(request.context)?.forOperation() ?? new Exchange(incomingOf(request.request.http?.headers));
    return runPipeline({ exchange, request, served, protection: this.protection });
  };

  private async firstSupergraph(): Promise<string> {
    const { supergraph } = this;
    if (typeof supergraph === 'string') return supergraph;
    const hooks = {
      update: (supergraphSdl: string) => void this.replace({ supergraphSdl }),
      // A subgraph that is down must not keep a gateway from loading rules; it is asked when it is needed.
      healthCheck: async () => undefined,
      getDataSource: ({ name, url }: { name: string; url?: string | undefined }) =>
        this.dataSource(name, url, undefined),
    };
    const result = await (typeof supergraph === 'function'
      ? supergraph(hooks)
      : supergraph.initialize(hooks));
    this.cleanup = result.cleanup;
    return result.supergraphSdl;
  }

  /**
   * Replaces the supergraph, the policy or the evaluators, all that is given as one and between requests: none is decided by
   * parts of two. What must not be served is refused and logged, and what is served stays. Updates go one after the other.
   *
   * @param update What replaces what is served, or a function that reads it when its turn has come.
   * @returns whether it is served now.
   */
  replace(update: RulesUpdate | (() => Promise<RulesUpdate>)): Promise<boolean> {
    const { log, metrics } = this.protection;
    const replaced = this.updating.then(() =>
      this.stopped ? false : replaceRules(this.rulesHolder(), update, log, metrics),
    );
    this.updating = replaced.then(() => undefined);
    return replaced;
  }

  private rulesHolder(): RulesHolder {
    const { protection, version } = this;
    return {
      sdl: version?.sdl,
      rules: protection.rules,
      makeRules: (policy, evaluators) => protection.makeRules(policy, evaluators),
      install: (sdl, rules) => this.install(sdl, rules),
      installRules: (rules) => {
        if (version === undefined) throw new Error('the gateway has no supergraph');
        this.version = withRules(version, rules, protection);
        this.versions.set(version.loaded.apiSchema, this.version);
        protection.rules = rules;
      },
    };
  }

  private dataSource(
    name: string,
    supergraphUrl: string | undefined,
    authorizer: OperationAuthorizer | undefined,
  ): BehalfDataSource {
    const options = optionsOfSubgraph(this.protection.options.subgraphs, name);
    const url = options.url ?? supergraphUrl;
    if (url === undefined || !URL.canParse(url)) {
      throw new ConfigurationError(
        `subgraphs.${name}.url`,
        'the supergraph has no address for this subgraph',
      );
    }
    const { origin } = new URL(url);
    let pool = this.pools.get(origin);
    if (pool === undefined) {
      pool = subgraphPool(url);
      this.pools.set(origin, pool);
    }
    return new BehalfDataSource({
      name,
      url,
      pool,
      timeoutMs: options.timeoutMs ?? DEFAULT_SUBGRAPH_TIMEOUT_MS,
      headers: this.protection.subgraphHeaders.get(name),
      whenUnaccounted: () => this.unprotected.tellNoAccount(name),
      txnToken: (exchange, sent) =>
        authorizer === undefined ? undefined : this.protection.txnToken(exchange, name, authorizer, sent),
      errors: this.protection.options.subgraphErrors ?? {},
      isShadow: this.protection.mode === 'shadow',
      accountable: authorizer?.accountable.get(name) ?? new Map(),
      schema: authorizer?.schema ?? new GraphQLSchema({}),
      log: this.protection.log,
    });
  }

  /** Makes a version, and serves it from now on. */
  private async install(sdl: string, rules: PolicyRules): Promise<void> {
    const { config, protection } = this;
    const before = this.version;
    this.version = await createVersion(sdl, {
      config,
      protection,
      rules,
      dataSource: (name, url, authorizer) => this.dataSource(name, url, authorizer),
    });
    protection.rules = rules;
    const { authorizer, loaded } = this.version;
    this.unprotected.tellOf(authorizer);
    this.versions.set(loaded.apiSchema, this.version);
    for (const listener of this.listeners) {
      try {
        listener(loaded);
      } catch {
        // As @apollo/gateway has it, a listener that fails does not take the supergraph back. It may go on to validate against
        // the schema before, which must not keep the rules before alive.
        if (before !== undefined) this.versions.delete(before.loaded.apiSchema);
        this.protection.log.log('error', 'SCHEMA_LISTENER_FAILED');
      }
    }
    before?.plans.retire();
    await before?.gateway.stop();
  }
}

function incomingOf(headers: Iterable<[string, string]> | undefined): Incoming {
  const authorization: string[] = [];
  const all: [string, string][] = [...(headers ?? [])];
  let traceparent: string | undefined;
  for (const [name, value] of all) {
    if (name.toLowerCase() === 'authorization') authorization.push(value);
    else if (name.toLowerCase() === 'traceparent') traceparent = value;
  }
  return { authorization, headers: Object.fromEntries(all), traceparent };
}
