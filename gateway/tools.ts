/**
 * The tools for a federation's schemas: compose, lint, explain, diff. A separate entry, because a gateway in production needs
 * neither composition nor its dependencies.
 */
export {
  compose,
  composeErrors,
  ComposeError,
  composeSupergraph,
  readSupergraphConfig,
  type ComposeErrorCode,
  type SubgraphSource,
} from './compose/compose.js';
export { explainOperation, supposedDelegation } from './explain.js';
export { diffSupergraphs, type Change, type ChangeKind } from './inspect/diff.js';
export { FINDINGS, lint, type Finding, type LintInput } from './inspect/lint/index.js';
export { apiSchemaOf, inspectSupergraph, type Coverage } from './inspect/supergraph.js';
