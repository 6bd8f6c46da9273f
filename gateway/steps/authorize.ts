import type { GatewayGraphQLRequestContext } from '@apollo/server-gateway-interface';
import type { Authorization, ExecutionOutcome, OperationAuthorizer } from '../authorize/index.js';
import { asksForMinimized } from '../http/minimized-header.js';
import { refuseMissingRoot, refuseSubscription } from '../authorize/refuse-subscription.js';
import { requireVariables } from '../authorize/variables.js';
import { RefusedError } from '../errors.js';
import { InexactVariableError, settleVariables } from '../exact/input.js';
import type { AuthorizationMode } from '../options/protection-options.js';
import type { PolicyBook } from '../policies/index.js';
import { Propagation } from '../propagate/propagation.js';
import {
  refuseSchemaIntrospection,
  schemaIntrospectionRefused,
  splitSchemaIntrospection,
} from '../schema-introspection/index.js';
import type { SchemaIntrospectionRule } from '../schema-introspection/index.js';
import type { Authorized, Prepared } from '../stages/stages.js';

export interface AuthorizationRules {
  readonly mode: AuthorizationMode;
  readonly schemaIntrospection: SchemaIntrospectionRule;
  /** Errors of one answer. */
  readonly maxErrors: number;
  /** Whether clients may ask which fields are minimized. */
  readonly minimizedPaths: boolean;
}

/** The parts of the supergraph that executes the operation. */
interface Rules {
  readonly authorizer: OperationAuthorizer;
  readonly policies: PolicyBook;
}

/** Decides what may be planned. @throws {RefusedError} or `InvalidVariablesError` */
export async function authorize(
  prepared: Prepared,
  request: GatewayGraphQLRequestContext,
  { authorizer, policies }: Rules,
  { mode, schemaIntrospection: rule, minimizedPaths }: AuthorizationRules,
): Promise<Authorized> {
  const { operation } = prepared;
  const hasToken = prepared.delegation !== undefined;
  refuseSubscription(operation);
  refuseMissingRoot(operation, request.schema);
  refuseSchemaIntrospection(operation.document, rule, hasToken);
  const variables = readVariables(request);
  requireVariables({ schema: request.schema, client: operation, variables, suggests: rule === 'all' });
  const schemaIntrospection = splitSchemaIntrospection(operation);
  // Below the root, `granted` would show the whole schema, and the query planner fails if there are several subgraphs.
  if (schemaIntrospection?.isNested === true) throw schemaIntrospectionRefused(403, true);
  const asked = schemaIntrospection === undefined ? operation : schemaIntrospection.data;
  const delegation =
    prepared.delegation === undefined
      ? undefined
      : await policies.answer(
          // The reachable part of the schema depends on every policy.
          schemaIntrospection !== undefined && rule === 'granted'
            ? [...authorizer.policies]
            : authorizer.policiesOf(operation),
          prepared.delegation,
          operation.operation.name?.value,
        );
  const tellsMinimized = minimizedPaths && asksForMinimized(request.request.http?.headers);
  return {
    ...prepared,
    variables,
    isShadow: mode === 'shadow',
    delegation,
    schemaIntrospection,
    asked,
    authorization:
      asked === undefined
        ? nothingAsked(tellsMinimized)
        : authorizer.authorize(asked, delegation, variables, { tellsMinimized }),
    propagation: new Propagation(prepared.exchange, prepared.token, delegation),
  };
}

/** For pure introspection. */
function nothingAsked(tellsMinimized: boolean): Authorization {
  const answer = (outcome: ExecutionOutcome): ExecutionOutcome =>
    tellsMinimized ? { ...outcome, extensions: { minimized: [] } } : outcome;
  return { execute: undefined, unchanged: false, denials: [], complete: answer, observe: answer };
}

/** @throws {RefusedError} */
function readVariables({
  request,
  operation,
  schema,
}: GatewayGraphQLRequestContext): Readonly<Record<string, unknown>> {
  try {
    return settleVariables(request.variables ?? {}, operation, schema);
  } catch (error) {
    if (!(error instanceof InexactVariableError)) throw error;
    throw new RefusedError({
      code: 'NUMBER_NOT_EXACT',
      message: `Variable "$${error.variable}" holds a number that cannot be carried exactly; send it as a string`,
      status: 400,
    });
  }
}
