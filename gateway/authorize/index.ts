export { chosenOperation } from './chosen-operation.js';
export { editOperation } from './edit-operation.js';
export { createOperationAuthorizer, DEFAULT_MAX_ERRORS } from './authorizer.js';
export type { AuthorizerOptions } from './authorizer.js';
export type {
  ExplainedFilter,
  ExplainedMinimization,
  ExplainedRule,
  ExplainedSelection,
  Explanation,
  Needs,
  SelectionDecision,
} from './explanation.js';
export { SupergraphError, type SupergraphErrorCode } from './supergraph.js';
export type { OperationAuthorizer } from './operation-authorizer.js';
export type {
  AccountableField,
  Authorization,
  ClientOperation,
  Denial,
  ExecutionOutcome,
  SchemaGrants,
  SubgraphVocabulary,
} from './types.js';
