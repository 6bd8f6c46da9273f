import type { Policy } from '@behalf/policy';
import { Revocations } from '@behalf/revocation/internal';
import { dpopRules } from './authenticate/dpop/options.js';
import type { DpopRules } from './authenticate/dpop/options.js';
import { DpopProofs } from './authenticate/dpop/proof.js';
import { Authenticator } from './authenticate/index.js';
import { Issuers } from './authenticate/issuers.js';
import { UnavailableKeys } from './authenticate/unavailable-keys.js';
import { tokenLifetimes } from './authenticate/lifetime.js';
import { SenderConstraint } from './authenticate/sender-constraint.js';
import { Challenges } from './authenticate/present-challenge.js';
import { ProtectedResource } from './http/resource-metadata.js';
import { DocumentStore, RequestLimits } from './limit/index.js';
import { unfailingLog } from './log.js';
import type { GatewayLog } from './log.js';
import { GatewayMetrics } from './seal/metrics.js';
import type { Settings } from './options/settings.js';
import type { PipelineParts } from './pipeline.js';
import { compileSubgraphHeaders } from './propagate/subgraph-headers.js';
import type { SubgraphHeaders } from './propagate/subgraph-headers.js';
import type { SubgraphsOptions } from './propagate/subgraph-options.js';
import { RefusedTokens } from './propagate/refused-tokens.js';
import { UnminimizedValues } from './minimize/unminimized-values.js';
import { UnprotectedSubgraphs } from './propagate/unprotected.js';
import type { PolicyEvaluator } from './policies/index.js';
import { TxnTokenService } from './propagate/txn-token-service.js';
import { makeRules } from './rules/policy-rules.js';
import type { PolicyRules, RulesInForce } from './rules/policy-rules.js';
import { AuditTrail } from './seal/audit-trail.js';
import { Recorder } from './seal/recorder.js';
import { shareOfCaches } from './supergraph-version.js';

/** The parts of one gateway, created once from its settings: those that decide, sign and record. */
export interface Protection {
  /** The parts that decide, and everything else that the pipeline needs. */
  readonly pipeline: PipelineParts;
  readonly signer: TxnTokenService;
  readonly issuers: Issuers;
  /** Whether tokens of every issuer must be bound to a key. */
  readonly isDpopAlwaysRequired: boolean;
  /** The parts that follow from the policy and its evaluators, as used for new requests. */
  readonly rules: RulesInForce;
  readonly makeRules: (policy: Policy | undefined, evaluators: readonly PolicyEvaluator[]) => PolicyRules;
  /** The headers that each subgraph relies on, by its name. */
  readonly subgraphHeaders: ReadonlyMap<string, SubgraphHeaders>;
  readonly unprotected: UnprotectedSubgraphs;
  readonly unminimized: UnminimizedValues;
  readonly refusedTokens: RefusedTokens;
  readonly recorder: Recorder;
  readonly audit: AuditTrail;
  readonly metrics: GatewayMetrics;
  readonly log: GatewayLog;
  /** Undefined if no issuer announces revocations. */
  readonly revocations: Revocations | undefined;
  /** Undefined if the gateway does not know its address. */
  readonly resource: ProtectedResource | undefined;
}

/** @throws {ConfigurationError} */
export function createProtection(settings: Settings, operationsPath?: string): Protection {
  const { authorization, propagation, subgraphs, clock } = settings;
  const log = unfailingLog(settings.log);
  const lifetimes = tokenLifetimes(settings);
  const unavailable = new UnavailableKeys(settings.issuers, log, clock);
  const issuers = new Issuers(settings.issuers, (...why) => unavailable.report(...why), clock);
  const revocations = createRevocations(settings, lifetimes, issuers, log);
  const dpop = dpopRules(settings.dpop, [...lifetimes.keys()], clock);
  const limits = new RequestLimits({
    limits: settings.limits,
    isShadow: authorization.mode === 'shadow',
    log,
    clock,
  });
  const rulesFrom: Protection['makeRules'] = (policy, evaluators) =>
    makeRules(policy, evaluators, { counters: limits.counters, log, clock });
  const rules: RulesInForce = { current: rulesFrom(settings.policy, settings.policies.evaluators) };
  const resource = protectedResource(settings, dpop, rules, operationsPath);
  const subgraphHeaders = compileSubgraphHeaders(subgraphs);
  const audit = new AuditTrail(settings.audit, clock, log);
  const revocationAgeSeconds = (): number | undefined => revocations?.view.ageSeconds;
  const metrics = new GatewayMetrics({ audit, revocationAgeSeconds, clock });
  const recorder = new Recorder({ audit, metrics, owners: ownersOf(subgraphs), log, clock });
  return {
    pipeline: {
      authentication: {
        authenticator: createAuthenticator(settings, lifetimes, issuers, revocations, dpop),
        rules,
        suspensions: revocations?.view.suspensions,
      },
      limits,
      authorization: {
        mode: authorization.mode,
        schemaIntrospection: settings.introspection,
        maxErrors: authorization.maxErrors,
        minimizedPaths: authorization.minimizedPaths,
      },
      documents: new DocumentStore(shareOfCaches(settings.limits)),
      challenges: new Challenges(dpop, resource),
      recorder,
      log,
    },
    signer: new TxnTokenService({ propagation, subgraphs, log, clock }),
    issuers,
    isDpopAlwaysRequired: dpop.isAlwaysRequired,
    rules,
    makeRules: rulesFrom,
    subgraphHeaders,
    unprotected: new UnprotectedSubgraphs(subgraphHeaders, log, subgraphs),
    unminimized: new UnminimizedValues(log, clock),
    refusedTokens: new RefusedTokens(metrics, log, clock),
    recorder,
    audit,
    metrics,
    log,
    revocations,
    resource,
  };
}

function ownersOf(subgraphs: SubgraphsOptions): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(subgraphs).flatMap(([name, { owner }]) => (owner === undefined ? [] : [[name, owner]])),
  );
}

function createAuthenticator(
  { authorization, clock }: Settings,
  lifetimes: ReadonlyMap<string, number>,
  issuers: Issuers,
  revocations: Revocations | undefined,
  dpop: DpopRules,
): Authenticator {
  return new Authenticator({
    issuers,
    anonymous: authorization.anonymous,
    revocation: revocations?.view,
    // A token of an unknown issuer has no permitted lifetime.
    maxTokenLifetimeSeconds: (issuer) => lifetimes.get(issuer) ?? 0,
    senderConstraint: new SenderConstraint({
      proofs: new DpopProofs(dpop),
      isDpopRequired: dpop.isDpopRequired,
    }),
    clock,
  });
}

function createRevocations(
  { hooks, issuers, revocation, clock }: Settings,
  lifetimes: ReadonlyMap<string, number>,
  trusted: Issuers,
  log: GatewayLog,
): Revocations | undefined {
  if (revocation === undefined) return undefined;
  const { streams, instance, maxStalenessMs, maxEntries } = revocation;
  const isInsecure = new Map(issuers.map(({ issuer, allowInsecureIssuer }) => [issuer, allowInsecureIssuer]));
  return new Revocations({
    streams: streams.map((stream) => ({
      ...stream,
      instance: instance ?? stream.instance,
      allowInsecureIssuer: isInsecure.get(stream.issuer) === true,
    })),
    maxStalenessMs,
    maxTokenLifetimeSeconds: Math.max(...streams.map(({ issuer }) => lifetimes.get(issuer) ?? 0)),
    maxEntries,
    log,
    hooks,
    refreshKeys: (issuer) => trusted.refreshKeys(issuer),
    clock,
  });
}

function protectedResource(
  { externalUrl, issuers, knowsClientCertificates }: Settings,
  dpop: DpopRules,
  rules: RulesInForce,
  operationsPath: string | undefined,
): ProtectedResource | undefined {
  if (externalUrl === undefined) return undefined;
  return new ProtectedResource({
    externalUrl,
    operationsPath,
    issuers,
    scopes: () => {
      const { policy } = rules.current;
      return policy === undefined ? undefined : [...policy.scopes.keys()];
    },
    dpopAlgorithms: dpop.algorithms,
    isDpopRequired: dpop.isAlwaysRequired,
    knowsClientCertificates,
  });
}
