import { context as otelContext, trace } from '@opentelemetry/api';
import { Kind } from 'graphql';
import type { GraphQLError, OperationDefinitionNode } from 'graphql';
import type { GatewayExecutor, GatewayGraphQLRequestContext } from '@apollo/server-gateway-interface';
import type { AuthorizationMode, Protection } from './protection.js';
import { RefusedError } from './errors.js';
import { EXCHANGE } from './exchange.js';
import { RejectedError, tellStepUps } from './rejection.js';
import type { Exchange, ExchangeContext } from './exchange.js';
import type {
  Authorization,
  ClientOperation,
  ExecutionOutcome,
  OperationAuthorizer,
} from './authorize/index.js';
import { refuseSubscription } from './authorize/refuse-subscription.js';
import { variableErrors } from './authorize/variables.js';
import { internalError } from './client-error.js';
import { InexactVariableError, settleLiterals, settleVariables } from './exact/input.js';
import { statusTellsOutcome } from './http/media-type.js';
import {
  introspectionRefused,
  joinOutcomes,
  refuseIntrospection,
  splitIntrospection,
} from './introspection/index.js';
import type { GrantedIntrospection } from './introspection/index.js';
import type { CostModel } from './limit/index.js';
import type { PolicyBook } from './policies/index.js';
import { isPlainOperationName } from './seal/recorded-text.js';
import type { PolicyRules } from './rules.js';
import { ErrorLog } from './subgraph-errors/log-errors.js';

/** What one supergraph version is served by: they are replaced together, so that no request meets parts of two. */
export interface Served {
  readonly authorizer: OperationAuthorizer;
  readonly policies: PolicyBook;
  /** The tokens of its requests are cut by them. */
  readonly rules: PolicyRules;
  readonly introspection: GrantedIntrospection;
  readonly execute: GatewayExecutor;
  readonly costs: CostModel;
}

export interface StepInput {
  readonly exchange: Exchange;
  readonly request: GatewayGraphQLRequestContext;
  readonly served: Served;
  readonly protection: Protection;
}

/** A step reads what the ones before it wrote into the exchange, and throws to refuse the request. */
export type Step = (input: StepInput) => Promise<void> | void;

/** From credentials to a delegation, unless the server has done it before it read the operation. */
const authenticate: Step = async ({ exchange, served, protection }) => {
  if (!exchange.authenticated) await protection.authenticate(exchange);
  protection.adopt(exchange, served.rules);
};

/** Refuses what comes too often, unless the server has counted it before it read the operation. */
const limit: Step = async ({ exchange, protection }) => {
  if (exchange.counted) return;
  await protection.limits.countRequest(exchange);
};

/** Refuses what is too large, before anything is decided or planned, and counts what it weighs. */
const measure: Step = ({ exchange, request, served, protection }) => {
  // Apollo Server leaves it to the gateway to find that there is none, whatever the type says.
  if ((request.operation as OperationDefinitionNode | undefined) === undefined) throw operationUnknown();
  const { document, operation } = request;
  const variables = request.request.variables ?? {};
  return protection.limits.measure(exchange, { document, operation }, variables, served.costs);
};

/** Of an operation that asks for nothing but the schema. */
const NOTHING_ASKED: Authorization = Object.freeze({
  unchanged: false,
  denials: [],
  complete: (outcome: ExecutionOutcome) => outcome,
  observe: (outcome: ExecutionOutcome) => outcome,
});

/** Of an operation that is not executed, in any mode. */
function notExecuted(errors: readonly GraphQLError[]): Authorization {
  return { unchanged: false, denials: [], complete: () => ({ errors }), observe: () => ({ errors }) };
}

/** Decides what may be planned. */
const authorize: Step = async ({ exchange, request, served, protection }) => {
  refuseIntrospection(request.document, protection.introspection, exchange.delegation !== undefined);
  const operation = readOperation(request);
  exchange.operation = operation;
  refuseSubscription(operation);
  exchange.variables = readVariables(request);
  const invalid = variableErrors({
    schema: request.schema,
    operation: operation.operation,
    variables: exchange.variables,
    suggests: protection.introspection === 'all',
  });
  if (invalid.length > 0) {
    exchange.authorization = notExecuted(invalid);
    return;
  }
  const split = protection.introspection === 'granted' ? splitIntrospection(operation) : undefined;
  // Deep in the data the schema would be answered by the gateway, whole.
  if (split?.isNested === true) throw introspectionRefused(403, exchange.delegation !== undefined);
  exchange.introspection = split;
  exchange.asked = split === undefined ? operation : split.data;
  if (exchange.delegation !== undefined) {
    const { authorizer } = served;
    exchange.delegation = await served.policies.answer(
      // What can be reached of the schema depends on all of them.
      split === undefined ? authorizer.policiesOf(operation) : [...authorizer.policies],
      exchange.delegation,
      operation.operation.name?.value,
    );
  }
  exchange.authorization =
    exchange.asked === undefined
      ? NOTHING_ASKED
      : served.authorizer.authorize(exchange.asked, exchange.delegation, exchange.variables);
  const { denials, execute } = exchange.authorization;
  if (denials.length === 0 || protection.mode === 'shadow') return;
  const tellsOutcome =
    exchange.incoming.isBatch !== true &&
    statusTellsOutcome(request.request.http?.headers.get('accept') ?? undefined);
  // A client for which the status tells the outcome is told that nothing was granted; to others it is data, all null.
  if (protection.mode === 'reject' || (execute === undefined && split === undefined && tellsOutcome)) {
    throw new RejectedError(exchange, tellsOutcome, protection);
  }
};

function operationUnknown(): RefusedError {
  return new RefusedError({
    code: 'OPERATION_UNKNOWN',
    message: 'The document has no operation of this name, or several and the request names none',
    status: 400,
    reason: 'OPERATION_INVALID',
  });
}

/** The operation as the client sent it, with every number in it exact. */
function readOperation({
  document,
  operation,
  queryHash,
  source,
  schema,
}: GatewayGraphQLRequestContext): ClientOperation {
  const settled = settleLiterals(document, source, schema);
  const definition = settled.definitions[document.definitions.indexOf(operation)];
  return {
    document: settled,
    operation: definition?.kind === Kind.OPERATION_DEFINITION ? definition : operation,
    queryHash,
  };
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

/** Plans and executes what is left, with a transaction token for each subgraph that is asked. */
const propagate: Step = async ({ exchange, request, served, protection }) => {
  const { authorization, introspection } = exchange;
  if (authorization === undefined) throw new Error('propagate before authorize');
  exchange.isShadow = protection.mode === 'shadow';
  if (introspection !== undefined) {
    exchange.introspectionOutcome = await served.introspection.answer(
      request.schema,
      introspection.introspection,
      exchange.delegation,
      exchange.variables,
    );
  }
  const execute = exchange.isShadow ? exchange.asked : authorization.execute;
  if (execute === undefined) {
    exchange.outcome = { data: {} };
    return;
  }
  const context: ExchangeContext = { ...request.context, [EXCHANGE]: exchange };
  // The plan cache of @apollo/gateway goes by this hash and not by the document: a filtered document under the hash of
  // the whole one would run the whole one's plan.
  const { data, errors } = await served.execute({
    ...request,
    ...execute,
    ...forSpans(execute),
    request: { ...request.request, variables: { ...exchange.variables } },
    context,
  });
  exchange.outcome = { ...(data === undefined ? {} : { data }), ...(errors === undefined ? {} : { errors }) };
};

/** @apollo/gateway puts these two into attributes of its spans and uses them for nothing else. */
function forSpans({
  operation,
}: ClientOperation): Pick<GatewayGraphQLRequestContext, 'operationName' | 'source'> {
  const name = operation.name?.value;
  return { operationName: name !== undefined && isPlainOperationName(name) ? name : null, source: '' };
}

/** The record has all of them. */
const MAX_LOGGED_COORDINATES = 20;

/** Nulls and denials, in the shape that the client asked for. */
const complete: Step = ({ exchange, protection }) => {
  const { authorization, introspection, introspectionOutcome, outcome } = exchange;
  if (authorization === undefined || outcome === undefined) throw new Error('complete before propagate');
  const log = new ErrorLog(protection.log, exchange.transactionId);
  if (protection.mode === 'shadow') {
    tellWouldDeny(exchange, authorization, protection);
    exchange.outcome = authorization.observe(outcome, log.add);
  } else exchange.outcome = tellStepUps(exchange, authorization.complete(outcome, log.add));
  log.end();
  if (introspection === undefined || introspectionOutcome === undefined) return;
  exchange.outcome = joinOutcomes(introspection.keys, introspectionOutcome, exchange.outcome);
};

function tellWouldDeny(exchange: Exchange, { denials }: Authorization, { log }: Protection): void {
  if (denials.length === 0) return;
  const coordinates = denials.map(({ coordinate }) => coordinate);
  log.log('info', 'WOULD_DENY', {
    coordinates: coordinates.slice(0, MAX_LOGGED_COORDINATES).join(' '),
    denials: denials.reduce((sum, { selections }) => sum + selections, 0),
    transaction: exchange.transactionId,
  });
}

/** The way of a request, in order. After them, whatever they did, it is sealed. */
export const pipeline: readonly Step[] = Object.freeze([
  authenticate,
  limit,
  measure,
  authorize,
  propagate,
  complete,
]);

/** Runs the pipeline for one operation and seals it. Never rejects: what is refused is an answer. */
export async function runPipeline(input: StepInput): Promise<ExecutionOutcome> {
  const { exchange, protection } = input;
  try {
    try {
      // Spans of @apollo/gateway become children of the request's.
      await otelContext.with(trace.setSpan(otelContext.active(), exchange.span), async () => {
        for (const step of pipeline) await step(input);
      });
    } catch (error) {
      if (error instanceof RejectedError) {
        await protection.seal(exchange, 'refused', 'UNAUTHORIZED_FIELD_OR_TYPE');
        protection.challenges.complete(error.errors, exchange.incoming);
        return { errors: error.errors };
      }
      if (error instanceof RefusedError) {
        const { code, reason } = error.refusal;
        const isAuthentication = !exchange.authenticated;
        await protection.seal(
          exchange,
          isAuthentication ? 'authentication-failed' : 'refused',
          reason ?? code,
        );
        throw error;
      }
      await protection.seal(exchange, 'failed', 'INTERNAL_SERVER_ERROR');
      throw error;
    }
    const outcome = exchange.outcome ?? {};
    await protection.seal(exchange, outcome.data === undefined ? 'failed' : 'answered', undefined);
    return outcome;
  } catch (error) {
    // Only what Behalf refuses with. A GraphQLError of another maker can hold anything.
    if (error instanceof RefusedError) {
      protection.challenges.complete([error], exchange.incoming);
      if (exchange.incoming.isBatch === true) delete error.extensions.http;
      return { errors: [error] };
    }
    protection.log.log('error', 'INTERNAL_SERVER_ERROR', {
      transaction: exchange.transactionId,
      error: error instanceof Error ? error.name : 'unknown',
    });
    return { errors: [internalError()] };
  } finally {
    for (const [name, value] of exchange.responseHeaders)
      input.request.response?.http?.headers.set(name, value);
    exchange.span.end();
  }
}

export type { AuthorizationMode };
