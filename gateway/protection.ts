import { dpopRules } from './authenticate/dpop/options.js';
import type { DpopRules } from './authenticate/dpop/options.js';
import { DpopProofs } from './authenticate/dpop/proof.js';
import { Authenticator } from './authenticate/index.js';
import { Issuers } from './authenticate/issuers.js';
import { tokenLifetimes } from './authenticate/lifetime.js';
import { SenderConstraint } from './authenticate/sender-constraint.js';
import { requireTrustedAddresses } from './authenticate/trusted-addresses.js';
import { PolicyCeiling } from './authorize/ceiling.js';
import { DEFAULT_MAX_ERRORS } from './authorize/index.js';
import { ConfigurationError } from './errors.js';
import { Challenges } from './http/present-challenge.js';
import { ProtectedResource } from './http/resource-metadata.js';
import { DocumentStore, RequestLimits } from './limit/index.js';
import { silentLog, unfailingLog } from './log.js';
import type { GatewayLog } from './log.js';
import { GatewayMetrics } from './metrics.js';
import type { ProtectionOptions } from './options/protection-options.js';
import type { PipelineParts } from './pipeline.js';
import { TxnTokenService } from './propagate/txn-token-service.js';
import { Revocations } from './revocation/revocations.js';
import { Recorder } from './seal/recorder.js';
import { shareOfCaches } from './supergraph-version.js';

const DEFAULT_MAX_STALENESS_MS = 75_000;

/** The parts of one gateway, made once from its options: what decides, what signs, and what records. */
export interface Protection {
  /** What decides, and what the pipeline needs beside it. */
  readonly pipeline: PipelineParts;
  readonly signer: TxnTokenService;
  readonly recorder: Recorder;
  readonly metrics: GatewayMetrics;
  readonly log: GatewayLog;
  /** Undefined when no issuer announces revocations. */
  readonly revocations: Revocations | undefined;
  /** Undefined where the gateway does not know its address. */
  readonly resource: ProtectedResource | undefined;
}

/** @throws {ConfigurationError} */
export function createProtection(options: ProtectionOptions): Protection {
  const log = unfailingLog(options.log ?? silentLog);
  const mode = options.authorization?.mode ?? 'filter';
  requireTrustedAddresses(options.issuers, options.revocation?.streams ?? []);
  const lifetimes = tokenLifetimes(options);
  const issuers = new Issuers(options.issuers);
  const revocations = createRevocations(options, lifetimes, issuers, log);
  const dpop = dpopRules(options.dpop ?? {}, [...lifetimes.keys()]);
  const resource = protectedResource(options, dpop);
  const audit = options.audit ?? { mode: 'off' };
  const metrics = new GatewayMetrics({
    auditLost: () => (audit.mode === 'off' ? 0 : audit.sink.lost),
    revocationAgeSeconds: () => revocations?.view.ageSeconds,
  });
  const recorder = new Recorder({ audit, metrics, log });
  const { policy } = options;
  return {
    pipeline: {
      authentication: {
        authenticator: new Authenticator({
          issuers,
          anonymous: options.authorization?.anonymous ?? 'allow',
          revocation: revocations?.view,
          // A token of an unknown issuer may not live at all.
          maxTokenLifetimeSeconds: (issuer) => lifetimes.get(issuer) ?? 0,
          senderConstraint: new SenderConstraint({
            proofs: new DpopProofs(dpop),
            isDpopRequired: dpop.isDpopRequired,
          }),
        }),
        ceiling: policy === undefined ? undefined : new PolicyCeiling(policy, log),
        suspensions: revocations?.view.suspensions,
      },
      limits: new RequestLimits({ limits: options.limits, policy, isShadow: mode === 'shadow', log }),
      authorization: {
        mode,
        schemaIntrospection: options.introspection ?? 'authenticated',
        maxErrors: options.authorization?.maxErrors ?? DEFAULT_MAX_ERRORS,
      },
      documents: new DocumentStore(shareOfCaches(options.limits)),
      challenges: new Challenges(dpop, resource),
      recorder,
      log,
    },
    signer: new TxnTokenService({
      propagation: options.propagation,
      roles: options.subgraphs?.roles ?? {},
      log,
    }),
    recorder,
    metrics,
    log,
    revocations,
    resource,
  };
}

function createRevocations(
  { issuers, revocation }: ProtectionOptions,
  lifetimes: ReadonlyMap<string, number>,
  trusted: Issuers,
  log: GatewayLog,
): Revocations | undefined {
  if (revocation === undefined || revocation.streams.length === 0) return undefined;
  const { streams, instance, maxStalenessMs = DEFAULT_MAX_STALENESS_MS, maxEntries = 1_000_000 } = revocation;
  for (const { issuer } of streams) {
    // Tokens of an issuer without a stream are not looked up: a stream under a mistaken name would leave its own so.
    if (!lifetimes.has(issuer))
      throw new ConfigurationError('revocation.streams', `${issuer} is none of the issuers`);
  }
  return new Revocations({
    streams: streams.map((stream) => ({
      ...stream,
      ...(instance === undefined ? {} : { instance }),
      allowInsecureIssuer:
        issuers.find(({ issuer }) => issuer === stream.issuer)?.allowInsecureIssuer === true,
    })),
    maxStalenessMs,
    maxTokenLifetimeSeconds: Math.max(...streams.map(({ issuer }) => lifetimes.get(issuer) ?? 0)),
    maxEntries,
    log,
    refreshKeys: (issuer) => trusted.refreshKeys(issuer),
  });
}

function protectedResource(options: ProtectionOptions, dpop: DpopRules): ProtectedResource | undefined {
  const { externalUrl, issuers, policy, knowsClientCertificates = false } = options;
  if (externalUrl === undefined) return undefined;
  return new ProtectedResource({
    externalUrl,
    issuers: issuers.map(({ issuer }) => issuer),
    scopes: policy === undefined ? undefined : [...policy.scopes.keys()],
    dpopAlgorithms: dpop.algorithms,
    isDpopRequired: dpop.isAlwaysRequired,
    knowsClientCertificates,
  });
}
