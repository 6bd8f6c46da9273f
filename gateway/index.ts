export { SupergraphError, type SupergraphErrorCode } from './authorize/index.js';
export type { DpopOptions } from './authenticate/dpop/options.js';
export type { ClaimNames, IssuerOptions } from './authenticate/issuers.js';
export { ConfigurationError, RefusedError, type GatewayErrorCode, type Refusal } from './errors.js';
export type { IncomingRequest } from './request/exchange.js';
export type { GatewayContext, GatewayRequest } from './request/gateway-request.js';
export type { ProtectedResource, ResourceMetadata } from './http/resource-metadata.js';
export type { LimitSettings } from './limit/request-limits.js';
export { jsonLog, silentLog, type GatewayLog, type LogCode, type LogLevel } from './log.js';
export {
  cedarEvaluator,
  cedarSchema,
  type PolicyEvaluator,
  type PolicyFunction,
  type PolicyRequest,
} from './policies/index.js';
export { protectGateway, type ProtectedGateway, type ProtectedGatewayConfig } from './protect-gateway.js';
export {
  MemoryProofReplayStore,
  PostgresProofReplayStore,
  ProofReplayStoreError,
  type MemoryProofReplayOptions,
  type PostgresProofReplayOptions,
  type ProofReplayStore,
} from './proof-replay/index.js';
export type {
  AuthorizationMode,
  AuthorizationSettings,
  Given,
  PolicyAnswerOptions,
  PropagationOptions,
  PropagationSettings,
  ProtectionOptions,
  RevocationOptions,
  RevocationSettings,
  SubgraphSettings,
} from './options/protection-options.js';
export type { AuditMode, AuditOptions } from './seal/audit-options.js';
export type { AuditRecord, AuditSink } from '../audit/record.js';
export { FileAuditSink, PostgresAuditSink } from '../audit/index.js';
export type { SubgraphErrorOptions } from './subgraph-errors/options.js';
export type { StreamOptions, ForeignStreamOptions } from './revocation/receiver.js';
export type { TokenIntrospectionOptions } from './authenticate/token-introspection.js';
export type { TxnTokenExchangeOptions, TxnTokenExchangeRequest } from './propagate/txn-token-exchange.js';
export type { WorkloadOptions } from './propagate/workloads.js';
export { checkConfig, readConfig, type CheckedConfig, type GatewayConfig } from './config/config.js';
export { checkPolicy, PolicyError, readPolicy, type Policy } from '../policy/index.js';
export { startGateway, type GatewayOverrides, type RunningGateway } from './server.js';
