export { SupergraphError, type SupergraphErrorCode } from './authorize/index.js';
export type { DpopOptions } from './authenticate/dpop/options.js';
export type { ClaimNames, IssuerOptions } from './authenticate/issuers.js';
export { ConfigurationError, type GatewayErrorCode } from './errors.js';
export type { IncomingRequest } from './request/exchange.js';
export type { GatewayContext, GatewayRequest } from './request/gateway-request.js';
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
  MemoryProofReplayStore,
  PostgresProofReplayStore,
  ProofReplayStoreError,
  type MemoryProofReplayOptions,
  type PostgresProofReplayOptions,
  type ProofReplayStore,
} from './proof-replay/index.js';
export type {
  AuthorizationMode,
  ProtectionOptions,
  RevocationOptions,
} from './options/protection-options.js';
export type { AuditOptions } from './seal/audit-options.js';
export { checkConfig, readConfig, type GatewayConfig } from './config/config.js';
export { checkPolicy, PolicyError, readPolicy, type Policy } from '../policy/index.js';
export { startGateway, type GatewayOverrides, type RunningGateway } from './server.js';
