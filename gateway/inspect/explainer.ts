import type { Policy } from '@behalf/policy';
import { createOperationAuthorizer } from '../authorize/index.js';
import { checkArgument, checkCoverage } from './check-input.js';
import { explainOperation } from './explain.js';
import type { ExplainInput, ExplainResult } from './explain.js';
import { aPolicy } from '../policies/checks.js';
import { apiSchemaOf } from './supergraph.js';
import type { Coverage } from './supergraph.js';

/**
 * Makes the explainer of one supergraph: what a gateway would decide about each field of an operation, and by which rule. Nothing is
 * planned or executed, and operations count against the limits that a gateway has by default.
 *
 * @param coverage whether a field without a rule is refused, as in the gateway's configuration
 * @param policy its levels of detail and its rules `minimize` are applied, and nothing else of it
 * @throws {ConfigurationError} for an argument that cannot be used, with its path
 * @throws {SupergraphError} when the supergraph cannot be read, or a rule in it cannot be enforced or can be got around
 *
 * @example
 * ```ts
 * import { createExplainer, supposedDelegation } from '@behalf/gateway/tools';
 * import { readFileSync } from 'node:fs';
 *
 * const explain = createExplainer(readFileSync('supergraph.graphql', 'utf8'), 'required');
 * const delegation = supposedDelegation({ scopes: ['accounts:read'] });
 * const { explanation, errors } = explain({ query: '{ accounts { iban } }', delegation });
 * console.log(errors ?? explanation);
 * ```
 */
export function createExplainer(
  supergraphSdl: string,
  coverage: Coverage,
  policy?: Policy,
): (input: ExplainInput) => ExplainResult {
  checkCoverage(supergraphSdl, coverage);
  if (policy !== undefined) checkArgument('policy', policy, aPolicy);
  const authorizer = createOperationAuthorizer(supergraphSdl, { coverage });
  const schema = apiSchemaOf(authorizer.executableSdl);
  return (input) => explainOperation(input, authorizer, schema, { policy });
}
