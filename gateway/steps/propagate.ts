import type { GatewayExecutor, GatewayGraphQLRequestContext } from '@apollo/server-gateway-interface';
import type { ClientOperation, ExecutionOutcome } from '../authorize/index.js';
import { PROPAGATION } from '../propagate/propagation.js';
import { withoutReservedVariable } from '../propagate/reserved-variable.js';
import type { SharedUse } from '../request/shared-use.js';
import type { SchemaIntrospection } from '../schema-introspection/index.js';
import { isPlainOperationName } from '../seal/recorded-text.js';
import type { Authorized, Executed } from '../stages/stages.js';

/** The parts of the supergraph that executes the operation. */
export interface Execution {
  /** Plans and executes an operation. @param usage of all operations in the same HTTP request */
  readonly execute: (request: GatewayGraphQLRequestContext, usage: SharedUse) => ReturnType<GatewayExecutor>;
  readonly schemaIntrospection: SchemaIntrospection;
}

/** Plans and executes the filtered operation, with a transaction token for each subgraph. */
export async function propagate(
  authorized: Authorized,
  request: GatewayGraphQLRequestContext,
  version: Execution,
): Promise<Executed> {
  const { schemaIntrospection, delegation, variables } = authorized;
  const schemaIntrospectionOutcome =
    schemaIntrospection === undefined
      ? undefined
      : await version.schemaIntrospection.answer(request.schema, {
          document: schemaIntrospection.introspection,
          delegation,
          variables,
        });
  const outcome = await executeOperation(authorized, request, version);
  return { ...authorized, outcome, schemaIntrospectionOutcome };
}

async function executeOperation(
  { isShadow, asked, authorization, variables: given, propagation, usage }: Authorized,
  request: GatewayGraphQLRequestContext,
  { execute }: Execution,
): Promise<ExecutionOutcome> {
  const granted = isShadow ? asked : authorization.execute;
  if (granted === undefined) return { data: {} };
  const { operation, variables } = withoutReservedVariable({ operation: granted, variables: given });
  // @apollo/gateway caches plans by this hash and not by the document: a filtered document under the hash of the whole one
  // would run the whole one's plan.
  const filtered = {
    ...request,
    ...operation,
    ...forSpans(operation),
    request: { ...request.request, variables: { ...variables } },
    context: { ...request.context, [PROPAGATION]: propagation },
  };
  const { data, errors } = await execute(filtered, usage);
  return outcomeOf(data, errors);
}

/** @apollo/gateway only uses these two as attributes of its spans. */
function forSpans({
  operation,
}: ClientOperation): Pick<GatewayGraphQLRequestContext, 'operationName' | 'source'> {
  const name = operation.name?.value;
  return { operationName: name !== undefined && isPlainOperationName(name) ? name : null, source: '' };
}

/** An undefined member must be absent: absent data makes it a request error. */
function outcomeOf(data: ExecutionOutcome['data'], errors: ExecutionOutcome['errors']): ExecutionOutcome {
  if (errors === undefined) return data === undefined ? {} : { data };
  return data === undefined ? { errors } : { data, errors };
}
