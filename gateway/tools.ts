/**
 * The tools for a federation's schemas: compose, lint, explain, diff. A separate entry, because a gateway in production needs
 * neither composition nor its dependencies.
 */
export { ConfigurationError } from './errors.js';
export { compose, composeSupergraph } from './compose/compose.js';
export { composeErrors, ComposeError, type ComposeErrorCode } from './compose/errors.js';
export { readSupergraphConfig, type SubgraphSource } from './compose/supergraph-config.js';
export { supposedDelegation, type ExplainInput, type ExplainResult } from './inspect/explain.js';
export { diffSupergraphs, type Change, type ChangeKind } from './inspect/diff.js';
export { createExplainer } from './inspect/explainer.js';
export {
  FINDINGS,
  lint,
  type Finding,
  type FindingCode,
  type LintInput,
  type LintSource,
  type LintTranslation,
  type Severity,
} from './inspect/lint/index.js';
export { inspectSupergraph, type Coverage, type InspectedSupergraph } from './inspect/supergraph.js';
export type {
  ExplainedFilter,
  ExplainedMinimization,
  ExplainedRule,
  ExplainedSelection,
  Explanation,
  Needs,
  SelectionDecision,
} from './authorize/index.js';
