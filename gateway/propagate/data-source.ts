import type { Clock, TxnTokenRefusal } from '@behalf/directives';
import { FACTS_EXTENSION, isRecord, withoutUndefined } from '@behalf/directives/internal';
import { OperationTypeNode, parse } from 'graphql';
import type { GraphQLFormattedError, GraphQLSchema } from 'graphql';
import type { Pool } from 'undici';
import type { GraphQLDataSource, GraphQLDataSourceProcessOptions } from '../apollo.js';
import type { AccountableField } from '../authorize/index.js';
import type { GatewayLog } from '../log.js';
import type { MinimizedQuery } from '../minimize/hidden-fields.js';
import { minimizedBySubgraph } from '../minimize/subgraph-minimization.js';
import type { SubgraphMinimization } from '../minimize/subgraph-minimization.js';
import { settleAnswer } from '../exact/answer.js';
import { settleWithin } from '../exact/settle.js';
import { fetchOf, SentOperations } from '../subgraph-errors/fetch.js';
import type { SubgraphFetch } from '../subgraph-errors/fetch.js';
import { completeAnswer } from '../subgraph-errors/complete-answer.js';
import { explainMissingData, unexplainedNulls } from '../subgraph-errors/missing-data.js';
import type { SubgraphErrorOptions } from '../subgraph-errors/options.js';
import { fetchFailure, readErrors } from '../subgraph-errors/subgraph-error.js';
import type { SubgraphError } from '../subgraph-errors/subgraph-error.js';
import { askedCoordinates } from './asked.js';
import { readAnswer } from './read-answer.js';
import { UnreadableAnswerError } from './unreadable-answer.js';
import { readAccount, readRefusedToken } from './facts.js';
import type { Account } from './facts.js';
import { UnsendableHeaderError } from './subgraph-headers.js';
import type { SubgraphHeaders } from './subgraph-headers.js';
import { failureReason, isUnanswered, postToSubgraph } from './subgraph-http.js';
import type { SubgraphAnswer } from './subgraph-http.js';
import { propagationOf } from './propagation.js';
import type { Propagation } from './propagation.js';

export interface DataSourceOptions {
  readonly name: string;
  readonly url: string;
  /** For the address's origin; its creator closes it. */
  readonly pool: Pool;
  /** The headers that this subgraph relies on; undefined if none are configured. */
  readonly headers: SubgraphHeaders | undefined;
  /** For one request as a whole: a subgraph that trickles bytes cannot keep it open. */
  readonly timeoutMs: number;
  /** The transaction token for this request; undefined for an anonymous caller. */
  readonly txnToken: (propagation: Propagation, request: SubgraphRequest) => string | undefined;
  readonly errors: SubgraphErrorOptions;
  /** Called when it answered a request with a transaction token, and returned no facts. */
  readonly whenUnaccounted: () => void;
  /** Called when it refused the transaction token of a request. */
  readonly whenTokenRefused: (reason: TxnTokenRefusal) => void;
  /** Errors pass unchanged, as the subgraph reported them. */
  readonly isShadow: boolean;
  /** Undefined unless the gateway minimizes the values of this subgraph. */
  readonly minimization: SubgraphMinimization | undefined;
  /** Called when its values should be minimized here, and its facts say that it did so itself. */
  readonly whenMinimizedTwice: () => void;
  /** Whether it is also recorded what was asked for without a token. */
  readonly recordsAnonymous: boolean;
  /** By coordinate: what the subgraph can resolve, and so report. */
  readonly accountable: ReadonlyMap<string, AccountableField>;
  /** The supergraph's schema, with the types of a response's fields. */
  readonly schema: GraphQLSchema;
  readonly log: GatewayLog;
  readonly clock: Clock;
}

/** The request body, as JSON. */
export interface SubgraphRequest {
  readonly query: string | undefined;
  readonly variables: Readonly<Record<string, unknown>> | undefined;
  readonly operationName: string | undefined;
}

type SubgraphResponse = Awaited<ReturnType<GraphQLDataSource['process']>>;

/**
 * Calls one subgraph over a keep-alive pool. It sends the operation, the transaction token, the trace and the headers
 * configured for this subgraph, and removes the facts from the response.
 *
 * A subgraph's `Cache-Control` is not passed on: data that depend on a delegation must not be in a shared cache.
 */
export class BehalfDataSource implements GraphQLDataSource {
  readonly #path: string;
  readonly #options: DataSourceOptions;
  readonly #sent = new SentOperations();

  constructor(options: DataSourceOptions) {
    this.#options = options;
    const { pathname, search } = new URL(options.url);
    this.#path = `${pathname}${search}`;
  }

  async process(options: GraphQLDataSourceProcessOptions): Promise<SubgraphResponse> {
    const { query, variables, operationName } = options.request;
    const propagation = propagationOf(options.context);
    const fetch = fetchOf(this.#options.name, options, this.#sent);
    let facts: unknown;
    try {
      const minimized = this.#options.minimization?.queryFor(query ?? '');
      const sent = minimized?.query ?? query;
      const answer = await this.#post({ query: sent, variables, operationName }, propagation, fetch);
      const { extensions = {} } = answer;
      const { [FACTS_EXTENSION]: given, ...others } = extensions;
      // Own members only: an inherited one is not facts.
      if (Object.hasOwn(extensions, FACTS_EXTENSION)) facts = given;
      // A request that the subgraph could not execute has no facts either, whatever library it uses.
      else if (propagation?.delegation !== undefined && isRecord(answer.data))
        this.#options.whenUnaccounted();
      this.#refuseOtherEntities(answer, fetch);
      if (minimized !== undefined)
        this.#minimize(answer, { minimized, variables: variables ?? {}, facts, propagation });
      return { ...this.#withReadErrors(answer, fetch, variables ?? {}), extensions: others };
    } finally {
      // Also without a response: the subgraph may have read what was requested.
      if (propagation !== undefined) this.#collect(facts, propagation, fetch, variables ?? {});
    }
  }

  /** Before anything else reads the values. */
  #minimize(
    { data }: SubgraphResponse,
    {
      minimized,
      variables,
      facts,
      propagation,
    }: {
      readonly minimized: MinimizedQuery;
      readonly variables: Readonly<Record<string, unknown>>;
      readonly facts: unknown;
      readonly propagation: Propagation | undefined;
    },
  ): void {
    const { name, minimization, recordsAnonymous, whenMinimizedTwice } = this.#options;
    if (minimization === undefined || !isRecord(data)) return;
    const already = minimizedBySubgraph(facts);
    if (already.size > 0) whenMinimizedTwice();
    const delegation = propagation?.delegation;
    const { query, prefix } = minimized;
    const answered = { sent: this.#sent.of(query), prefix, variables, delegation, already };
    const accesses = minimization.apply(data, answered);
    if (delegation !== undefined || recordsAnonymous) propagation?.accounts.addAtGateway(name, accesses);
  }

  /** Otherwise @apollo/gateway would give up the fetch, in its own words and without the position. */
  #refuseOtherEntities({ data }: SubgraphResponse, fetch: SubgraphFetch): void {
    if (fetch.entities === 0 || data === undefined || data === null) return;
    const entities: unknown = data._entities;
    if (Array.isArray(entities) && entities.length === fetch.entities) return;
    // A client's variable can have the same name as the planner's.
    if (fetch.sent.isForEntities)
      throw this.#failure(fetch, new UnreadableAnswerError('SUBREQUEST_MALFORMED_RESPONSE', 'ENTITIES'));
  }

  /** Errors become Behalf's own here, before anything else sees the subgraph's text. */
  #withReadErrors(
    { data = null, errors: reported = [] }: SubgraphResponse,
    fetch: SubgraphFetch,
    variables: Readonly<Record<string, unknown>>,
  ): SubgraphResponse {
    const { errors: options, isShadow, schema } = this.#options;
    const read = readErrors(reported, fetch, options, isShadow);
    // Shadow promises the response without Behalf, whatever the subgraph sends.
    if (!isShadow) {
      if (isRecord(data)) read.push(...completeAnswer(data, fetch, { schema, variables, reported: read }));
      else if (!explainMissingData(read, fetch, schema)) read.push(unexplainedNulls(fetch));
    }
    // An empty list means no error.
    if (read.length === 0) return { data };
    return { data, errors: read as readonly object[] as readonly GraphQLFormattedError[] };
  }

  async #post(
    request: SubgraphRequest,
    propagation: Propagation | undefined,
    fetch: SubgraphFetch,
  ): Promise<SubgraphResponse> {
    const answer = await this.#ask(request, propagation, fetch);
    try {
      const { data, errors: reported, extensions, holdsExact } = readAnswer(answer);
      const response = { data, errors: reported as readonly GraphQLFormattedError[], extensions };
      return holdsExact ? this.#withExactNumbers(response, request.query ?? '') : response;
    } catch (error) {
      throw this.#failure(fetch, error);
    }
  }

  /** Sends a query once more if it got no answer. A mutation may have been executed, so it is sent once. */
  async #ask(
    request: SubgraphRequest,
    propagation: Propagation | undefined,
    fetch: SubgraphFetch,
  ): Promise<SubgraphAnswer> {
    const { timeoutMs, clock } = this.#options;
    const started = clock.monotonic();
    const first = await this.#send(request, propagation, fetch, timeoutMs);
    if (!('error' in first)) return first;
    const remainingMs = timeoutMs - (clock.monotonic() - started);
    const isRepeated =
      isUnanswered(first.error) && fetch.sent.operation === OperationTypeNode.QUERY && remainingMs > 0;
    const last = isRepeated ? await this.#send(request, propagation, fetch, remainingMs) : first;
    if ('error' in last) throw this.#failure(fetch, last.error);
    return last;
  }

  /** Each time with a transaction token of its own: a bound one can be used once. */
  async #send(
    request: SubgraphRequest,
    propagation: Propagation | undefined,
    fetch: SubgraphFetch,
    timeoutMs: number,
  ): Promise<SubgraphAnswer | { readonly error: unknown }> {
    const txnToken = propagation === undefined ? undefined : this.#options.txnToken(propagation, request);
    const headers: Record<string, string> = {
      ...this.#headersOf(propagation, fetch),
      'content-type': 'application/json',
      accept: 'application/json',
    };
    if (propagation !== undefined) headers.traceparent = propagation.exchange.traceparent;
    if (txnToken !== undefined) headers['txn-token'] = txnToken;
    try {
      const { pool, clock } = this.#options;
      const body = JSON.stringify(request);
      return await postToSubgraph(pool, { path: this.#path, headers, body, timeoutMs, clock });
    } catch (error) {
      return { error };
    }
  }

  #headersOf(propagation: Propagation | undefined, fetch: SubgraphFetch): Record<string, string> {
    const { name, headers, log } = this.#options;
    if (headers === undefined || propagation === undefined) return {};
    try {
      return headers.of(propagation.delegation, propagation.exchange.clientHeaders);
    } catch (error) {
      if (!(error instanceof UnsendableHeaderError)) throw error;
      // The subgraph would take the caller for anonymous, or for another person.
      log.log('error', 'IDENTITY_HEADER_UNSENDABLE', { subgraph: name, header: error.header });
      throw fetchFailure(fetch, 'SUBREQUEST_HTTP_ERROR');
    }
  }

  /** Numbers that a double cannot hold become what their fields can hold, or errors at their positions. */
  #withExactNumbers(response: SubgraphResponse, query: string): SubgraphResponse {
    const { data, errors: reported = [], extensions = {} } = response;
    settleWithin(reported);
    settleWithin(extensions);
    const inexact = settleAnswer(data ?? {}, parse(query), this.#options.schema);
    return inexact.length === 0 ? response : { ...response, errors: [...reported, ...inexact] };
  }

  /** The client learns which subgraph failed; the reason and the address stay in the log. */
  #failure(fetch: SubgraphFetch, error: unknown): SubgraphError {
    const { name, log } = this.#options;
    const isUnreadable = error instanceof UnreadableAnswerError;
    const code = isUnreadable ? error.code : 'SUBREQUEST_HTTP_ERROR';
    log.log('error', code, { subgraph: name, reason: isUnreadable ? error.reason : failureReason(error) });
    return fetchFailure(fetch, code);
  }

  /** Records what the subgraph says that it returned; if it says nothing that can be believed, what it was asked for. */
  #collect(
    facts: unknown,
    { delegation, accounts }: Propagation,
    fetch: SubgraphFetch,
    variables: Readonly<Record<string, unknown>>,
  ): void {
    const { name, accountable, recordsAnonymous, whenTokenRefused } = this.#options;
    const said = facts === undefined ? undefined : readRefusedToken(facts);
    // A protected subgraph returns accesses for every request with a token. Of one without, it may say that it has none.
    if (delegation === undefined && (facts === undefined || said === 'TXN_TOKEN_MISSING')) {
      if (recordsAnonymous) accounts.ask(name, this.#askedOf(fetch, variables, undefined));
      return;
    }
    const refusal = delegation === undefined ? undefined : said;
    const account =
      facts === undefined || refusal !== undefined ? undefined : readAccount(facts, accountable, delegation);
    if (account?.dropped !== 0) accounts.ask(name, this.#askedOf(fetch, variables, account));
    if (account !== undefined) {
      accounts.add(name, account);
      return;
    }
    if (facts !== undefined && refusal === undefined) accounts.disbelieve(name, 0);
    else accounts.miss(name);
    if (refusal !== undefined) whenTokenRefused(refusal);
  }

  /** Coordinates that it was asked for, and gave no account of. */
  #askedOf(
    { sent }: SubgraphFetch,
    variables: Readonly<Record<string, unknown>>,
    account: Account | undefined,
  ): { readonly coordinate: string; readonly rule?: string }[] {
    const { accountable, schema } = this.#options;
    const accounted = new Set(account?.accesses.map(({ coordinate }) => coordinate));
    return askedCoordinates(sent, variables, schema)
      .filter((coordinate) => !accounted.has(coordinate))
      .map((coordinate) => withoutUndefined({ coordinate, rule: accountable.get(coordinate)?.rule }));
  }
}
