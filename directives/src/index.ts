/**
 * For teams that run a subgraph behind a Behalf gateway.
 *
 * Build the schema with {@link buildProtectedSubgraph} (schema first) or {@link protectSchema} (code first), make each request's
 * context value with {@link protectedContext}, and return the record of what was read with {@link protectedSubgraphPlugin}.
 */
export type {
  ActorClaim,
  ConsentClaim,
  ConsentLevels,
  Delegation,
  DetailInForce,
  DetailLevel,
} from './claims/delegation.js';
export type { PassOnOptions } from './claims/exchange-txn-token.js';
export type { GatewayTrust, TxnTokenVerification, VerifiedTxnToken } from './claims/read-txn-token.js';
export type { ReplayAnswer, ReplayMemory } from './claims/replay-memory.js';
export type { TxnTokenRefusal } from './claims/txn-token-refusals.js';
export type { Clock } from './clock.js';
export { createTxnTokenVerifier, type TxnTokenBinding } from './claims/verify-txn-token.js';
export type { ColumnMapping, ColumnsOfField, ColumnSource, ColumnType } from './columns/column-mapping.js';
export { mergeColumns, type RequestedColumn } from './columns/requested-column.js';
export { requestedColumns } from './columns/requested-columns.js';
export type { Requires } from './decide/requirement.js';
export { protectedSubgraphPlugin, type ServerPlugin } from './enforce/apollo-plugin.js';
export type { SubgraphResolvers } from './enforce/apollo-subgraph.js';
export { buildProtectedSubgraph, type ProtectedSubgraphOptions } from './enforce/build-protected-subgraph.js';
export { denialError, type DenialExtensions } from './enforce/denial.js';
export { defineLoader } from './enforce/loader.js';
export { exchangeTxnToken, txnTokenHeaders, type PassOnTarget } from './enforce/pass-on.js';
export type { Enforcement, ProtectionOptions } from './enforce/protection-options.js';
export { protectSchema, type ProtectSchemaOptions } from './enforce/protect-schema.js';
export {
  finishProtectedRequest,
  isBoundElsewhere,
  protectedContext,
  type ProtectedContext,
} from './enforce/protected-context.js';
export { pseudonymsOf, readPseudonym, type PseudonymOwner } from './enforce/pseudonyms.js';
export type { RequestHeaders } from './enforce/request-headers.js';
export { DirectiveError, type DirectiveErrorCode, PassOnError } from './errors.js';
export type { SubgraphLog, SubgraphLogCode, SubgraphLogFacts } from './log.js';
export type { MinimizationStrategy } from './minimize/strategies/index.js';
export type { FormerPseudonymKey } from './minimize/pseudonyms.js';
export type { AccessDecision, FactsExtension, FieldAccessTuple } from './record/facts.js';
export type { CoordinateRules, DirectiveArguments } from './schema/coordinate-rules.js';
export { directiveDefinitions } from './schema/directive-definitions.js';
export type { Alternatives } from './specification/read-arguments.js';
