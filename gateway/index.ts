export { SupergraphError, type SupergraphErrorCode } from './authorize/index.js';
export type { DpopOptions } from './authenticate/dpop/options.js';
export type { ClaimMapping, ClaimPath, ClaimSource, ClaimTest } from './authenticate/claims.js';
export type { ClaimNames, IssuerOptions } from './authenticate/issuers.js';
export { ConfigurationError, RefusedError } from './errors.js';
export type { GatewayErrorCode, Refusal } from './errors.js';
export type { ExplainInput, ExplainResult } from './inspect/explain.js';
export { fastifyJwksHandler, jwksHandler } from './http/jwks-handler.js';
export type { JwksSource } from './http/jwks-handler.js';
export type { ClientHeaders, IncomingRequest } from './request/incoming-request.js';
export type { GatewayContext, GatewayRequest } from './stages/gateway-request.js';
export type { PropagationSettings } from './propagate/propagation-settings.js';
export type { ProtectedResource, ResourceMetadata } from './http/resource-metadata.js';
export type { CorsOptions } from './http/cors.js';
export type { ProxyOptions } from './http/proxies.js';
export type { TlsOptions } from './http/tls.js';
export type { OperationLimits } from './limit/limits.js';
export type { LimitSettings } from './limit/request-limits.js';
export { jsonLog, silentLog, type GatewayLog, type LogCode, type LogLevel } from './log.js';
export {
  cedarEvaluator,
  cedarSchema,
  type PolicyEvaluator,
  type PolicyFunction,
  type PolicyRequest,
} from './policies/index.js';
export type { ProtectedGatewayConfig } from './options/apollo-config.js';
export type { ReadinessCode } from './readiness.js';
export type { LimitsPlugin } from './limits-plugin.js';
export { protectGateway, type ProtectedGateway } from './protect-gateway.js';
export type { NamedVocabulary } from './propagate/audience.js';
export type {
  HeaderSource,
  IdentitySource,
  SubgraphOptions,
  SubgraphsOptions,
} from './propagate/subgraph-options.js';
export type {
  AuthorizationMode,
  ProtectionOptions,
  RevocationOptions,
  AuthorizationSettings,
  Given,
  PolicyAnswerOptions,
  PropagationOptions,
  RevocationSettings,
} from './options/protection-options.js';
export type { RulesUpdate } from './rules/check-update.js';
export type { AuditOptions, AuditMode } from './seal/audit-options.js';
export { checkConfig, readConfig } from './config/config.js';
export type {
  AdministrationOptions,
  CheckedConfig,
  ConfiguredIssuer,
  GatewayConfig,
  ShutdownOptions,
} from './config/config.js';
export { checkPolicy, PolicyError, readPolicy } from '@behalf/policy';
export type { Policy, PolicyErrorCode } from '@behalf/policy';
export type { Delegation } from '@behalf/directives';
export {
  MemoryProofReplayStore,
  PostgresProofReplayStore,
  ProofReplayStoreError,
} from './proof-replay/index.js';
export type {
  MemoryProofReplayOptions,
  PostgresProofReplayOptions,
  ProofReplayStore,
  ProofReplayStoreReason,
} from './proof-replay/index.js';
export type { AuditRecord, AuditSink } from '@behalf/audit';
export { AuditError, FileAuditSink } from '@behalf/audit';
export type { AuditErrorCode } from '@behalf/audit';
export { ListenError } from '@behalf/http';
export type {
  ConsentChange,
  ForeignEventName,
  ForeignStreamOptions,
  Revocation,
  RevocationHooks,
  StreamOptions,
} from '@behalf/revocation';
export type { SubgraphErrorOptions } from './subgraph-errors/options.js';
export type { SchemaIntrospectionRule } from './schema-introspection/index.js';
export type { TokenIntrospectionOptions } from './authenticate/token-introspection.js';
export type { TxnTokenExchangeOptions, TxnTokenExchangeRequest } from './propagate/txn-token-exchange.js';
export type { WorkloadOptions } from './propagate/workloads.js';
export { startGateway, type GatewayOverrides, type RunningGateway } from './server.js';
