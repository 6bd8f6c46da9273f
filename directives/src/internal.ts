/**
 * Shared by Behalf's own packages. It changes without notice, in any version. Subgraph teams find everything that they need in
 * `@behalf/directives`.
 */
export { checkTrust, refuseOption } from './claims/check-trust.js';
export { TxnTokenExchange } from './claims/exchange-txn-token.js';
export {
  isStringArray,
  MAX_LEVEL_ENTRIES,
  MAX_LEVELS,
  readActorClaim,
  readConsentClaim,
  readLevels,
} from './claims/read-claims.js';
export { createTxnTokenReader } from './claims/read-txn-token.js';
export { InMemoryReplay } from './claims/replay-memory.js';
export { graphqlRequestHash } from './claims/request-hash.js';
export { isServiceSubject, SERVICE_SUBJECT_PREFIX, serviceSubject } from './claims/service.js';
export {
  TXN_TOKEN_ALGORITHM,
  TXN_TOKEN_HEADER,
  TXN_TOKEN_TYPE,
  type DetailClaim,
  type RequestBinding,
  type RequesterContext,
  type TransactionContext,
  type TxnTokenClaims,
} from './claims/txn-token.js';
export { txnTokenRefusals } from './claims/txn-token-refusals.js';
export type { StatedFilters } from './decide/compile-filters.js';
export type { FieldRule, TypeRule } from './decide/compile-types.js';
export { filterRefusal, requiresOf, type FilterGate, type FilterRefusal } from './decide/filter-gate.js';
export { FilterInputs, type FilteredMember, type FilteredMembers } from './decide/filter-inputs.js';
export { gatesInValue } from './decide/filter-values.js';
export {
  defaultStatement,
  EVERY_LEVEL,
  EVERYTHING,
  isExemptFromMinimize,
  levelNames,
  liftedBy,
  liftingScopes,
  type Minimization,
  statementInForce,
} from './decide/minimization.js';
export {
  combine,
  describeRequirement,
  holdsOne,
  isExemptFromSubject,
  isMet,
  isUnrestricted,
  NO_REQUIREMENT,
  requirementParts,
  type Requirement,
} from './decide/requirement.js';
export { every, steadyTime, systemClock } from './clock.js';
export { ruleText } from './decide/rule-text.js';
export { RuleTable, type RuleSource, type RuleTableOptions } from './decide/rule-table.js';
export { entityText, plainKeyFields } from './enforce/entity-key.js';
export { subjectOf } from './enforce/row-owner.js';
export { FinishedValue } from './minimize/finished-value.js';
export { compileMinimizer, type Minimizer } from './minimize/minimizer.js';
export type { MinimizationContext } from './minimize/strategy.js';
export { DENIAL_CODE } from './enforce/denial.js';
export { traceIdOf } from './enforce/trace-id.js';
export { headerReader, type FetchHeaders, type HeaderReader } from './enforce/request-headers.js';
export { Interned } from './enforce/values.js';
export {
  denialErrors,
  directiveErrors,
  entityErrors,
  passOnErrors,
  requestErrors,
  statisticErrors,
  subgraphLogCodes,
  subscriptionErrors,
  type ErrorDescription,
} from './errors.js';
export { isRecord } from './is-record.js';
export { aClientKey, aSigningKey } from './key-checks.js';
export { kindOf } from './kind-of.js';
export { isMultipleOf } from './minimize/decimal.js';
export { nearest } from './nearest.js';
export {
  aBoolean,
  aClock,
  aDatabaseUrl,
  aFunction,
  aLog,
  anObject,
  aPort,
  type Check,
  checkKeys,
  checkObject,
  checkObjects,
  keyPath,
  listOf,
  must,
  oneOf,
  pathInsteadOf,
  type RefuseOption,
  text,
  wholeNumber,
  withMethods,
} from './option-checks.js';
export {
  ACCESS_DECISIONS,
  FACTS_EXTENSION,
  MAX_SUBJECT_LENGTH,
  MAX_SUBJECTS,
  type FieldAccess,
} from './record/facts.js';
export { type AttributeDescription, FIELD_SPAN, fieldSpanAttributes } from './record/field-span.js';
export { parentContext } from './record/recorder.js';
export { checkMinimizations } from './minimize/check-minimizations.js';
export { accessibleFields } from './schema/accessible-fields.js';
export { completeSubgraph } from './specification/complete.js';
export { coordinateOf } from './specification/coordinate.js';
export {
  AUTHENTICATED_IDENTITY,
  BEHALF_IDENTITY,
  FEDERATION_IDENTITY,
  JOIN_IDENTITY,
  POLICY_IDENTITY,
  REQUIRES_SCOPES_IDENTITY,
} from './specification/feature.js';
export { compareStrategies, type StrategyName } from './minimize/strategies/index.js';
export { argumentsOf, Links, type LinkedFeature } from './specification/link.js';
export { lowerRequiresScope } from './specification/lower.js';
export { type MinimizeStatement, statementParameters } from './specification/minimize.js';
export type { Alternatives } from './specification/read-arguments.js';
export type { SubjectRule } from './specification/subject.js';
export { specificationOf, specifiedDirectives } from './specification/specified-directives.js';
export { STATED_BY, statedByDefinition } from './specification/stated-by.js';
export { withoutUndefined } from './without-undefined.js';
