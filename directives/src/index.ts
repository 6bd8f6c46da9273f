export type { ActorClaim, ConsentClaim, Delegation, DetailLevel } from './claims/delegation.js';
export { TxnTokenExchange, type PassOnOptions } from './claims/exchange-txn-token.js';
export { isRecord, isStringArray, readActorClaim, readConsentClaim } from './claims/read-claims.js';
export {
  TXN_TOKEN_ALGORITHM,
  TXN_TOKEN_HEADER,
  TXN_TOKEN_TYPE,
  type RequestBinding,
  type RequesterContext,
  type TransactionContext,
  type TxnTokenClaims,
} from './claims/txn-token.js';
export {
  createTxnTokenReader,
  type GatewayTrust,
  type TxnTokenVerification,
  type VerifiedTxnToken,
} from './claims/read-txn-token.js';
export { InMemoryReplay, type ReplayAnswer, type ReplayMemory } from './claims/replay-memory.js';
export { graphqlRequestHash } from './claims/request-hash.js';
export { isServiceSubject, SERVICE_SUBJECT_PREFIX, serviceSubject } from './claims/service.js';
export { txnTokenRefusals, type TxnTokenRefusal } from './claims/txn-token-refusals.js';
export { createTxnTokenVerifier, type TxnTokenBinding } from './claims/verify-txn-token.js';
export {
  asksNothing,
  combine,
  describeRequirement,
  holdsOne,
  isMet,
  NO_REQUIREMENT,
  requirementParts,
  ruleText,
  seesWhole,
  type Requirement,
  type Requires,
} from './decide/requirement.js';
export type { FieldRule, TypeRule } from './decide/compile-types.js';
export { RuleTable, type RuleSource, type RuleTableOptions } from './decide/rule-table.js';
export { Interned } from './enforce/values.js';
export { protectedSubgraphPlugin } from './enforce/apollo-plugin.js';
export { DENIAL_CODE, denialError, type DenialExtensions } from './enforce/denial.js';
export { defineLoader } from './enforce/loader.js';
export { exchangeTxnToken, txnTokenHeaders, type PassOnTarget } from './enforce/pass-on.js';
export {
  buildProtectedSubgraph,
  finishProtectedRequest,
  isBoundElsewhere,
  protectedContext,
  type ProtectedSubgraphOptions,
} from './enforce/protected-subgraph.js';
export type { ProtectedContext } from './enforce/request-state.js';
export type { SubgraphLog, SubgraphLogCode, SubgraphLogFacts } from './log.js';
export { parentContext } from './record/recorder.js';
export {
  denialErrors,
  DirectiveError,
  directiveErrors,
  type DirectiveErrorCode,
  PassOnError,
  passOnErrors,
  requestErrors,
  subgraphLogCodes,
  subscriptionErrors,
  type ErrorDescription,
} from './errors.js';
export {
  ACCESS_DECISIONS,
  FACTS_EXTENSION,
  type AccessDecision,
  type FactsExtension,
  type FieldAccess,
  type FieldAccessTuple,
} from './record/facts.js';
export { completeSubgraph } from './specification/complete.js';
export type { Alternatives } from './specification/directive-specification.js';
export {
  AUTHENTICATED_IDENTITY,
  BEHALF_IDENTITY,
  FEDERATION_IDENTITY,
  JOIN_IDENTITY,
  POLICY_IDENTITY,
  REQUIRES_SCOPES_IDENTITY,
} from './specification/feature.js';
export { argumentsOf, Links, type LinkedFeature } from './specification/link.js';
export { lowerRequiresScope } from './specification/lower.js';
export type { Generalization, Minimization } from './specification/minimize.js';
export { STATED_BY, statedByDefinition } from './specification/stated-by.js';
export { specificationOf, specifiedDirectives } from './specification/specified-directives.js';
