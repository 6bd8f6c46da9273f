export { SupergraphError, type SupergraphErrorCode } from './authorize/index.js';
export type { DpopOptions } from './authenticate/dpop/options.js';
export type { ClaimNames, IssuerOptions } from './authenticate/issuers.js';
export { ConfigurationError, type GatewayErrorCode } from './errors.js';
export type { Incoming } from './exchange.js';
export { fastifyJwksHandler, jwksHandler, type JwksSource } from './http/jwks-handler.js';
export type { ProtectedResource, ResourceMetadata } from './http/resource-metadata.js';
export type { LimitOptions } from './limit/request-limits.js';
export { jsonLog, silentLog, type GatewayLog, type LogLevel } from './log.js';
export {
  cedarEvaluator,
  cedarSchema,
  type PolicyEvaluator,
  type PolicyFunction,
  type PolicyRequest,
} from './policies/index.js';
export { protectGateway, type ProtectedGateway, type ProtectedGatewayConfig } from './protect-gateway.js';
export {
  MemoryReplayStore,
  PostgresReplayStore,
  ReplayStoreError,
  type MemoryReplayOptions,
  type PostgresReplayOptions,
  type ReplayStore,
} from './replay/index.js';
export type { ClientHeaders, HeaderSource, IdentitySource } from './propagate/subgraph-headers.js';
export type { SubgraphOptions, SubgraphsOptions } from './propagate/subgraph-options.js';
export type { AuthorizationMode, ProtectionOptions, RevocationOptions } from './protection.js';
export type { ConsentChange, Revocation, RevocationHooks } from './revocation/hooks.js';
export {
  watchRevocations,
  type RevocationWatch,
  type WatchRevocationsOptions,
} from './revocation/watch-revocations.js';
export type { RulesUpdate } from './rules-update.js';
export type { AuditOptions } from './seal/seal.js';
export { checkConfig, readConfig, type GatewayConfig } from './config/config.js';
export { checkPolicy, PolicyError, readPolicy, type Policy } from '@behalf/policy';
export { startGateway, type GatewayOverrides, type RunningGateway } from './server.js';
