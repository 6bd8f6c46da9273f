export { honoured, ceilingOf, isHonoured, type Ceiling, type Held } from './ceiling.js';
export {
  comparePolicyWithSchema,
  describeMismatch,
  vocabularyOf,
  type PolicyFinding,
  type PolicyFindingKind,
  type SchemaVocabulary,
} from './compare.js';
export { PolicyError, type PolicyErrorCode } from './errors.js';
export { longestConsentSeconds } from './longest.js';
export type {
  ClientPolicy,
  Policy,
  PurposePolicy,
  RateClass,
  RolePolicy,
  ScopeDeprecation,
  ScopePolicy,
  Sensitivity,
  StepUp,
} from './policy.js';
export { checkPolicy, readPolicy } from './read.js';
export { mayGrant } from './roles.js';
export { stepUpOf, strictest, suffices, type SignIn } from './step-up.js';
export { shapeProblem } from './shape.js';
export { policyVersion } from './version.js';
export { watchFile, type WatchOptions } from './watch.js';
