export { comparePolicyWithSchema, describeMismatch } from './compare.js';
export { compareTranslation, describeTranslation, type TranslationFinding } from './compare-translation.js';
export type {
  DefaultDetail,
  FieldVocabulary,
  LevelDetail,
  PolicyFinding,
  PolicyFindingKind,
  SchemaVocabulary,
} from './findings.js';
export { PolicyError, type PolicyErrorCode, policyErrors } from './errors.js';
export type {
  CategoryPolicy,
  ClientPolicy,
  LevelPolicy,
  MinimizeRule,
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
export { readTranslations, translatePolicy } from './translate.js';
export {
  checkTranslation,
  readTranslation,
  type TranslatedCategory,
  type Translation,
} from './translation.js';
export { policyVersion } from './version.js';
export { watchFile, type WatchOptions } from './watch.js';
export { readVocabulary, vocabularyOf } from './vocabulary.js';
