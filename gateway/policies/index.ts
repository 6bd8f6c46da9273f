export { aPolicy, evaluatorList } from './checks.js';
export { DEFAULT_POLICY_TIMEOUT_MS, PolicyBook } from './book.js';
export { cedarEvaluator } from './cedar.js';
export { cedarSchema } from './cedar-schema.js';
export {
  functionEvaluator,
  type PolicyEvaluator,
  type PolicyFunction,
  type PolicyRequest,
} from './evaluator.js';
