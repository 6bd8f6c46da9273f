import { context as otelContext, trace } from '@opentelemetry/api';
import type { GatewayGraphQLRequestContext } from '@apollo/server-gateway-interface';
import type { GraphQLError } from 'graphql';
import type { AuditOutcome } from '@behalf/audit';
import type { ClientOperation, ExecutionOutcome } from './authorize/index.js';
import { RefusedError } from './errors.js';
import type { DocumentStore, RequestLimits } from './limit/index.js';
import type { GatewayRequest } from './stages/gateway-request.js';
import { adopt, authenticate, refuseSuspended } from './steps/authenticate.js';
import type { AuthenticationParts } from './steps/authenticate.js';
import { authorize } from './steps/authorize.js';
import type { AuthorizationRules } from './steps/authorize.js';
import { complete } from './steps/complete.js';
import { intend } from './steps/intend.js';
import { countRequest, limit } from './steps/limit.js';
import { prepare } from './steps/prepare.js';
import { propagate } from './steps/propagate.js';
import { refuse } from './steps/refuse.js';
import type { RefusalParts } from './steps/refuse.js';
import { reject } from './steps/reject.js';
import { seal } from './steps/seal.js';
import type { Authenticated, Incoming, Stage } from './stages/stages.js';
import type { SupergraphVersion } from './supergraph-version.js';

export interface PipelineParts extends RefusalParts {
  readonly authentication: AuthenticationParts;
  readonly limits: RequestLimits;
  readonly authorization: AuthorizationRules;
  readonly documents: DocumentStore;
}

/** The last stage of an operation, for its record if it goes no further. */
class Progress {
  constructor(public stage: Stage) {}

  readonly reach = <S extends Stage>(stage: S): S => {
    this.stage = stage;
    return stage;
  };
}

/** The path of every request, whichever server received it. */
export class Pipeline {
  readonly #parts: PipelineParts;

  constructor(parts: PipelineParts) {
    this.#parts = parts;
  }

  /**
   * Authenticates and counts a request before its operations are read.
   *
   * @throws {GraphQLError} A {@link RefusedError} that is complete and on record.
   */
  async admit(request: GatewayRequest): Promise<void> {
    try {
      const authenticated = await this.#authenticated(request.entry, (caller) => request.admit(caller));
      request.admit(await countRequest(authenticated, this.#parts.limits));
    } catch (error) {
      const refusal = await this.refuse(request, error);
      request.exchange.span.end();
      throw refusal;
    }
  }

  /** Runs one operation, from the stage of its request. Never rejects: a refusal is an answer. */
  async run(
    request: GatewayRequest,
    graphql: GatewayGraphQLRequestContext,
    version: SupergraphVersion,
  ): Promise<ExecutionOutcome> {
    const entry = request.nextOperation();
    const { exchange } = entry;
    const progress = new Progress(entry);
    try {
      // Spans of @apollo/gateway become children of the request's.
      return await otelContext.with(trace.setSpan(otelContext.active(), exchange.span), () =>
        this.#compose(entry, graphql, version, progress),
      );
    } catch (error) {
      const errors = await refuse(error, progress.stage, this.#parts);
      return { errors: errors.map((each) => forOperation(each, progress.stage)) };
    } finally {
      this.#forgetUnreadable(progress.stage, graphql);
      const { nextNonce } = progress.stage;
      if (nextNonce !== undefined) graphql.response?.http?.headers.set('dpop-nonce', nextNonce);
      exchange.span.end();
    }
  }

  /** The pipeline. Each step takes the stage before it. */
  async #compose(
    entry: Incoming | Authenticated,
    graphql: GatewayGraphQLRequestContext,
    version: SupergraphVersion,
    { reach }: Progress,
  ): Promise<ExecutionOutcome> {
    const { authentication, limits, authorization, recorder, log } = this.#parts;
    const authenticated = reach({
      ...adopt(await this.#authenticated(entry, reach), version.rules, authentication),
      supergraph: version.id,
    });
    const limited = reach(await limit(authenticated, graphql, version.costs, limits));
    const prepared = reach(prepare(limited, graphql));
    const authorized = reach(await authorize(prepared, graphql, version, authorization));
    const granted = reject(authorized, graphql, authorization);
    const intended = await intend(granted, recorder);
    const executed = reach(await propagate(intended, graphql, version));
    const completed = reach(complete(executed, log));
    return seal(completed, recorder);
  }

  /**
   * The receipts of a request's records, in their order, for the client: `-` for one that is not known to be durable.
   *
   * @returns undefined if there is none
   */
  receiptsOf(request: GatewayRequest): string | undefined {
    const receipts = request.exchanges.map((exchange) => this.#parts.recorder.receiptOf(exchange));
    if (receipts.every((receipt) => receipt === undefined)) return undefined;
    return receipts.map((receipt) => receipt ?? '-').join(', ');
  }

  /** The first step, for requests that were not admitted before their operations were read. */
  async #authenticated(
    entry: Incoming | Authenticated,
    reach: (caller: Authenticated) => unknown,
  ): Promise<Authenticated> {
    const { authentication } = this.#parts;
    if (entry.isAuthenticated) return entry;
    const authenticated = await authenticate(entry, authentication);
    reach(authenticated);
    return refuseSuspended(authenticated, authentication);
  }

  /** Otherwise anonymous callers could fill the document store with operations that are denied or refused whole. */
  #forgetUnreadable({ authorization, delegation }: Stage, { document }: GatewayGraphQLRequestContext): void {
    if (authorization?.execute !== undefined || delegation !== undefined) return;
    this.#parts.documents.forget(document);
  }

  /** Refuses a request without an operation to run. @returns the error for the client, complete and recorded */
  async refuse(request: GatewayRequest, error: unknown): Promise<GraphQLError> {
    const [refusal] = await refuse(error, request.entry, this.#parts);
    return refusal;
  }

  /** Refuses an operation before parsing, because its text is too large. @returns the error for the client */
  async refuseUnread(request: GatewayRequest, refusal: RefusedError): Promise<GraphQLError> {
    const unread = request.nextOperation();
    let reason: unknown = refusal;
    try {
      // Oversized requests count against the rate limit as well.
      if (unread.isAuthenticated) await countRequest(unread, this.#parts.limits);
    } catch (error) {
      reason = error;
    }
    const [answer] = await refuse(reason, unread, this.#parts);
    unread.exchange.span.end();
    return answer;
  }

  /** Records a request without an operation to run. @throws {RefusedError} in audit mode `required` */
  record(
    request: GatewayRequest,
    outcome: AuditOutcome,
    reason: string | undefined,
    operation?: ClientOperation,
  ): Promise<void> {
    const stage = operation === undefined ? request.entry : { ...request.entry, operation };
    return this.#parts.recorder.seal(stage, outcome, reason);
  }

  /**
   * Ends a request. Its operations that never reached the pipeline, because they could not be parsed or do not fit the schema,
   * are recorded, so that probing the schema leaves a trace. No data leaves, so nobody waits for the record.
   *
   * @param operations the number in the request: more than one for a batch
   */
  async finish(request: GatewayRequest, operations: number): Promise<void> {
    const { recorder, limits } = this.#parts;
    try {
      if (request.caller === undefined) return;
      const sealed = request.exchanges.filter((exchange) => recorder.hasSealed(exchange)).length;
      for (let missing = operations - sealed; missing > 0; missing -= 1) {
        const unread = request.nextOperation();
        // Probing counts against the rate limit, in a batch as well. There is nothing left to refuse.
        if (unread.isAuthenticated) await countRequest(unread, limits).catch(() => undefined);
        await recorder.seal(unread, 'refused', 'OPERATION_INVALID');
        unread.exchange.span.end();
      }
    } catch {
      // The log says that the record is missing.
    } finally {
      // A span that has ended does not record.
      if (request.exchange.span.isRecording()) request.exchange.span.end();
    }
  }
}

/** No single operation of a batch decides the response's status. */
function forOperation(error: GraphQLError, { exchange }: Stage): GraphQLError {
  if (exchange.incoming.isBatch === true && error instanceof RefusedError) delete error.extensions.http;
  return error;
}
