/** For Behalf's own packages only. Changes without notice, in any version. */
export { readDelegation } from './authenticate/delegation.js';
export type { AuthenticatedToken } from './authenticate/token.js';
export { Namespaces } from './authenticate/namespaces.js';
export { analyzeOperation } from './authorize/analysis.js';
export { Conditions } from './authorize/conditions.js';
export { filterOperation } from './authorize/filter.js';
export {
  type ClientOperation,
  type ExplainedFilter,
  type ExplainedRule,
  type ExplainedSelection,
  type Explanation,
  type Needs,
  createOperationAuthorizer,
} from './authorize/index.js';
export { readSupergraph, supergraphErrors } from './authorize/supergraph.js';
export { configurationErrors, gatewayErrors, httpErrors } from './errors.js';
export { introspectableDocument, visibleSchema } from './schema-introspection/visible-schema.js';
export { BYTES_PER_CHARACTER } from './byte-cache.js';
export { logCodes } from './log.js';
export { revocationErrors } from '@behalf/revocation/internal';
export type { LogCode } from './log.js';
export { readinessCodes } from './readiness.js';
export { GatewayMetrics } from './seal/metrics.js';
export { REQUEST_SPAN } from './request/exchange.js';
export { requestSpanAttributes } from './seal/request-span.js';
