import type { GatewaySchemaLoadOrUpdateCallback } from '@apollo/server-gateway-interface';
import { GraphQLSchema } from 'graphql';
import { keyPath } from '@behalf/directives/internal';
import type { Pool } from 'undici';
import type { ApolloGatewayConfig } from './apollo.js';
import type { AccountableField, OperationAuthorizer } from './authorize/index.js';
import { ConfigurationError } from './errors.js';
import { SubgraphMinimization } from './minimize/subgraph-minimization.js';
import { requireFirst, requireSdl } from './options/apollo-config.js';
import type { SupergraphSource } from './options/apollo-config.js';
import type { Settings } from './options/settings.js';
import { BehalfDataSource } from './propagate/data-source.js';
import { subgraphAddressProblem } from './propagate/subgraph-address.js';
import { subgraphPool } from './propagate/subgraph-http.js';
import { optionsOfSubgraph } from './propagate/subgraph-options.js';
import type { Protection } from './protection.js';
import type { PolicyRules } from './rules/policy-rules.js';
import type { RulesUpdate } from './rules/check-update.js';
import { replaceRules } from './rules/replace-rules.js';
import type { RulesHolder } from './rules/replace-rules.js';
import { createVersion, withRules } from './supergraph-version.js';
import type { SupergraphVersion } from './supergraph-version.js';

export interface SupergraphVersionsOptions {
  readonly supergraph: SupergraphSource;
  /** As the user passed it. */
  readonly config: ApolloGatewayConfig;
  readonly settings: Settings;
  readonly protection: Pick<
    Protection,
    | 'signer'
    | 'log'
    | 'metrics'
    | 'rules'
    | 'makeRules'
    | 'subgraphHeaders'
    | 'unprotected'
    | 'unminimized'
    | 'refusedTokens'
  >;
}

const DEFAULT_SUBGRAPH_TIMEOUT_MS = 30_000;

/** Loads and replaces the supergraph. At any time one version is in service, or none. */
export class SupergraphVersions {
  readonly #options: SupergraphVersionsOptions;
  readonly #listeners = new Set<GatewaySchemaLoadOrUpdateCallback>();
  /** By origin; they outlive a supergraph version. */
  readonly #pools = new Map<string, Pool>();
  /** A request is executed by the version that validated it, even if that was replaced meanwhile. */
  readonly #bySchema = new WeakMap<GraphQLSchema, SupergraphVersion>();
  #current: SupergraphVersion | undefined;
  #updating: Promise<void> = Promise.resolve();
  #cleanup: (() => Promise<void>) | undefined;
  #isStopped = false;

  constructor(options: SupergraphVersionsOptions) {
    this.#options = options;
  }

  /** The current version; undefined until the first was loaded. */
  get current(): SupergraphVersion | undefined {
    return this.#current;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** @throws if there is no supergraph yet */
  required(): SupergraphVersion {
    if (this.#current === undefined) throw new Error('the gateway has no supergraph');
    return this.#current;
  }

  /** The version that validated a request. @throws if there is no supergraph yet */
  versionOf(schema: GraphQLSchema): SupergraphVersion {
    return this.#bySchema.get(schema) ?? this.required();
  }

  /** @throws {SupergraphError} */
  async load(): Promise<void> {
    // In turn with the updates: one that arrives during loading is newer, and must not be replaced by this one.
    const first = this.#updating.then(async () =>
      this.#install(await this.#firstSupergraph(), this.#options.protection.rules.current),
    );
    this.#updating = first.catch(() => undefined);
    await first;
  }

  subscribe(listener: GatewaySchemaLoadOrUpdateCallback): () => void {
    this.#listeners.add(listener);
    if (this.#current !== undefined) listener(this.#current.loaded);
    return () => void this.#listeners.delete(listener);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#updating;
    await this.#cleanup?.();
    this.#current?.plans.close();
    await this.#current?.gateway.stop();
  }

  async closeConnections(isCut: boolean): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => (isCut ? pool.destroy() : pool.close())));
  }

  async #firstSupergraph(): Promise<string> {
    const { supergraph } = this.#options;
    if (typeof supergraph === 'string') return supergraph;
    const hooks = {
      update: (supergraphSdl: string) =>
        void this.replace(async () => ({ supergraphSdl: requireSdl(supergraphSdl) })),
      // An unavailable subgraph must not keep a gateway from loading rules; it is called when needed.
      healthCheck: async () => undefined,
      getDataSource: ({ name, url }: { name: string; url?: string | undefined }) =>
        this.#dataSource(name, url, undefined),
    };
    const result = await (typeof supergraph === 'function'
      ? supergraph(hooks)
      : supergraph.initialize(hooks));
    const { supergraphSdl, cleanup } = requireFirst(result);
    this.#cleanup = cleanup;
    return supergraphSdl;
  }

  /** As `ProtectedGateway.replace`. Updates take turns. */
  replace(update: RulesUpdate | (() => Promise<RulesUpdate>)): Promise<boolean> {
    const { log, metrics } = this.#options.protection;
    const replaced = this.#updating.then(() => {
      if (!this.#isStopped) return replaceRules(this.#rulesHolder(), update, log, metrics);
      log.log('warn', 'UPDATE_REFUSED', { reason: 'the gateway is stopped' });
      return false;
    });
    // Whatever becomes of this update, the next one and `stop` have their turn.
    this.#updating = replaced.then(
      () => undefined,
      () => undefined,
    );
    return replaced;
  }

  #rulesHolder(): RulesHolder {
    const { protection, settings } = this.#options;
    return {
      sdl: this.#current?.sdl,
      rules: protection.rules.current,
      makeRules: protection.makeRules,
      install: (sdl, rules) => this.#install(sdl, rules),
      installRules: (rules) => {
        const version = withRules(this.required(), rules, { settings, log: protection.log });
        this.#current = version;
        this.#bySchema.set(version.loaded.apiSchema, version);
        protection.rules.current = rules;
      },
    };
  }

  /** Creates a version and puts it into service. */
  async #install(sdl: string, rules: PolicyRules): Promise<void> {
    const { config, settings, protection } = this.#options;
    const before = this.#current;
    const version = await createVersion(sdl, {
      config,
      settings,
      rules,
      log: protection.log,
      dataSource: (name, url, authorizer) => this.#dataSource(name, url, authorizer),
    });
    this.#current = version;
    protection.rules.current = rules;
    protection.unprotected.tellOf(version.authorizer);
    this.#bySchema.set(version.loaded.apiSchema, version);
    for (const listener of this.#listeners) {
      try {
        listener(version.loaded);
      } catch {
        // As in @apollo/gateway, a failing listener does not undo the update. It may still validate against the previous
        // schema, which must not keep the previous rules alive.
        if (before !== undefined) this.#bySchema.delete(before.loaded.apiSchema);
        protection.log.log('error', 'SCHEMA_LISTENER_FAILED');
      }
    }
    before?.plans.retire();
    await before?.gateway.stop();
  }

  #dataSource(
    name: string,
    supergraphUrl: string | undefined,
    authorizer: OperationAuthorizer | undefined,
  ): BehalfDataSource {
    const { settings, protection } = this.#options;
    const options = optionsOfSubgraph(settings.subgraphs, name);
    const url = options.url ?? supergraphUrl;
    if (url === undefined || url === '')
      throw new ConfigurationError(
        `${keyPath('subgraphs', name)}.url`,
        'is missing: the supergraph has no address for this subgraph',
      );
    const problem = subgraphAddressProblem(url);
    if (problem !== undefined)
      throw new ConfigurationError(
        `${keyPath('subgraphs', name)}.url`,
        `${problem}; this one is ${options.url === undefined ? 'the supergraph’s' : 'the configuration’s'}`,
      );
    const isShadow = settings.authorization.mode === 'shadow';
    const accountable = authorizer?.accountable.get(name) ?? new Map<string, AccountableField>();
    const minimization =
      authorizer === undefined || options.minimizeAtGateway !== true
        ? undefined
        : new SubgraphMinimization({
            path: keyPath('subgraphs', name),
            schema: authorizer.schema,
            types: authorizer.minimizedTypesOf(name),
            joining: authorizer.joining,
            accountable,
            pseudonymKey:
              options.pseudonymKey === undefined ? undefined : Buffer.from(options.pseudonymKey, 'base64url'),
            isShadow,
            onUnreadable: (coordinate) => protection.unminimized.report(name, coordinate),
          });
    return new BehalfDataSource({
      name,
      url,
      pool: this.#pool(url),
      timeoutMs: options.timeoutMs ?? DEFAULT_SUBGRAPH_TIMEOUT_MS,
      headers: protection.subgraphHeaders.get(name),
      whenUnaccounted: () => protection.unprotected.tellNoAccount(name),
      whenTokenRefused: (reason) => protection.refusedTokens.report(name, reason),
      txnToken: (propagation, sent) =>
        authorizer === undefined
          ? undefined
          : protection.signer.tokenFor(propagation, name, authorizer, sent),
      errors: settings.subgraphErrors,
      isShadow,
      minimization,
      whenMinimizedTwice: () => protection.unprotected.tellProtected(name),
      recordsAnonymous: settings.audit.mode !== 'off' && settings.audit.anonymous,
      accountable,
      schema: authorizer?.schema ?? new GraphQLSchema({}),
      log: protection.log,
      clock: settings.clock,
    });
  }

  #pool(url: string): Pool {
    const { origin } = new URL(url);
    const known = this.#pools.get(origin);
    if (known !== undefined) return known;
    const pool = subgraphPool(url);
    this.#pools.set(origin, pool);
    return pool;
  }
}
