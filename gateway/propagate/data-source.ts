import type { TxnTokenRefusal } from '@behalf/directives';
import { FACTS_EXTENSION, isRecord } from '@behalf/directives/internal';
import { parse } from 'graphql';
import type { GraphQLFormattedError, GraphQLSchema } from 'graphql';
import type { Pool } from 'undici';
import type { GraphQLDataSource, GraphQLDataSourceProcessOptions } from '../apollo.js';
import type { AccountableField } from '../authorize/index.js';
import type { GatewayErrorCode } from '../errors.js';
import type { GatewayLog } from '../log.js';
import { settleAnswer } from '../exact/answer.js';
import { parseExactJson } from '../exact/exact-json.js';
import { ExactNumber } from '../exact/exact-number.js';
import { settleWithin } from '../exact/settle.js';
import type { ParsedJson } from '../exact/exact-json.js';
import { fetchOf } from '../subgraph-errors/fetch.js';
import type { SubgraphFetch } from '../subgraph-errors/fetch.js';
import type { SubgraphErrorOptions } from '../subgraph-errors/options.js';
import { fetchFailure, readErrors } from '../subgraph-errors/subgraph-error.js';
import type { SubgraphError } from '../subgraph-errors/subgraph-error.js';
import { readAccount, readRefusedToken } from './facts.js';
import { UnsendableHeaderError } from './subgraph-headers.js';
import type { SubgraphHeaders } from './subgraph-headers.js';
import { failureReason, postToSubgraph } from './subgraph-http.js';
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
  /** By coordinate: what the subgraph can resolve, and so report. */
  readonly accountable: ReadonlyMap<string, AccountableField>;
  /** The supergraph's schema, with the types of a response's fields. */
  readonly schema: GraphQLSchema;
  readonly log: GatewayLog;
}

/** The request body, as JSON. */
export interface SubgraphRequest {
  readonly query: string | undefined;
  readonly variables: Readonly<Record<string, unknown>> | undefined;
  readonly operationName: string | undefined;
}

const JSON_TYPES = /^application\/(graphql-response\+)?json\b/i;

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

  constructor(options: DataSourceOptions) {
    this.#options = options;
    const { pathname, search } = new URL(options.url);
    this.#path = `${pathname}${search}`;
  }

  async process(options: GraphQLDataSourceProcessOptions): Promise<SubgraphResponse> {
    const { query, variables, operationName } = options.request;
    const propagation = propagationOf(options.context);
    const fetch = fetchOf(this.#options.name, options);
    let facts: unknown;
    try {
      const answer = await this.#post({ query, variables, operationName }, propagation, fetch);
      const { extensions = {} } = answer;
      const { [FACTS_EXTENSION]: given, ...others } = extensions;
      // Own members only: an inherited one is not facts.
      if (Object.hasOwn(extensions, FACTS_EXTENSION)) facts = given;
      // A request that the subgraph could not execute has no facts either, whatever library it uses.
      else if (propagation?.delegation !== undefined && isRecord(answer.data))
        this.#options.whenUnaccounted();
      this.#refuseOtherEntities(answer, fetch);
      const response = this.#withReadErrors(answer, fetch);
      return facts === undefined ? response : { ...response, extensions: others };
    } finally {
      // Also without a response: the subgraph may have read what was requested.
      if (propagation !== undefined) this.#collect(facts, propagation);
    }
  }

  /** Otherwise @apollo/gateway would give up the fetch, in its own words and without the position. */
  #refuseOtherEntities({ data }: SubgraphResponse, fetch: SubgraphFetch): void {
    if (fetch.entities === 0 || data === undefined || data === null) return;
    const entities: unknown = data._entities;
    if (Array.isArray(entities) && entities.length === fetch.entities) return;
    // A client's variable can have the same name as the planner's.
    if (fetch.sent.isForEntities) throw this.#failure(fetch, 'SUBREQUEST_MALFORMED_RESPONSE', 'ENTITIES');
  }

  /** Errors become Behalf's own here, before anything else sees the subgraph's text. */
  #withReadErrors(response: SubgraphResponse, fetch: SubgraphFetch): SubgraphResponse {
    const { errors: reported, ...others } = response;
    // An empty list means no error.
    if (!Array.isArray(reported) || reported.length === 0) return others;
    const read = readErrors(reported, fetch, this.#options.errors, this.#options.isShadow);
    return { ...others, errors: read as readonly object[] as readonly GraphQLFormattedError[] };
  }

  async #post(
    request: SubgraphRequest,
    propagation: Propagation | undefined,
    fetch: SubgraphFetch,
  ): Promise<SubgraphResponse> {
    const txnToken = propagation === undefined ? undefined : this.#options.txnToken(propagation, request);
    const headers: Record<string, string> = {
      ...this.#headersOf(propagation, fetch),
      'content-type': 'application/json',
      accept: 'application/json',
    };
    if (propagation !== undefined) headers.traceparent = propagation.exchange.traceparent;
    if (txnToken !== undefined) headers['txn-token'] = txnToken;
    let answer: SubgraphAnswer;
    try {
      const body = JSON.stringify(request);
      answer = await postToSubgraph(this.#options.pool, this.#path, headers, body, this.#options.timeoutMs);
    } catch (error) {
      throw this.#failure(fetch, 'SUBREQUEST_HTTP_ERROR', failureReason(error));
    }
    const { status, contentType, text } = answer;
    if (status < 200 || status > 299) throw this.#failure(fetch, 'SUBREQUEST_HTTP_ERROR', `HTTP_${status}`);
    if (typeof contentType !== 'string' || !JSON_TYPES.test(contentType)) {
      throw this.#failure(fetch, 'SUBREQUEST_MALFORMED_RESPONSE', 'CONTENT_TYPE');
    }
    const { response, holdsExact } = this.#parse(text, fetch);
    return holdsExact ? this.#withExactNumbers(response, request.query ?? '') : response;
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

  #parse(
    text: string,
    fetch: SubgraphFetch,
  ): { readonly response: SubgraphResponse; readonly holdsExact: boolean } {
    let json: ParsedJson;
    try {
      json = parseExactJson(text);
    } catch {
      throw this.#failure(fetch, 'SUBREQUEST_MALFORMED_RESPONSE', 'JSON');
    }
    const { value: parsed, holdsExact } = json;
    if (!isObject(parsed)) throw this.#failure(fetch, 'SUBREQUEST_MALFORMED_RESPONSE', 'NO_OBJECT');
    const { data, errors: reported, extensions } = parsed;
    if (
      (data !== undefined && data !== null && !isObject(data)) ||
      (reported !== undefined && !(Array.isArray(reported) && reported.every(isGraphQLError))) ||
      (extensions !== undefined && !isObject(extensions))
    ) {
      throw this.#failure(fetch, 'SUBREQUEST_MALFORMED_RESPONSE', 'SHAPE');
    }
    return { response: parsed, holdsExact };
  }

  /** The client learns which subgraph failed; the reason and the address stay in the log. */
  #failure(
    fetch: SubgraphFetch,
    code: Extract<GatewayErrorCode, 'SUBREQUEST_HTTP_ERROR' | 'SUBREQUEST_MALFORMED_RESPONSE'>,
    reason: string,
  ): SubgraphError {
    const { name, log } = this.#options;
    log.log('error', code, { subgraph: name, reason });
    return fetchFailure(fetch, code);
  }

  #collect(facts: unknown, { delegation, accounts }: Propagation): void {
    const { name, accountable, whenTokenRefused } = this.#options;
    if (facts === undefined) {
      // A protected subgraph returns facts for every request with a token, and for no other.
      if (delegation !== undefined) accounts.miss(name);
      return;
    }
    const refusal = delegation === undefined ? undefined : readRefusedToken(facts);
    if (refusal !== undefined) {
      accounts.miss(name);
      whenTokenRefused(refusal);
      return;
    }
    const account = readAccount(facts, accountable);
    if (account === undefined) accounts.disbelieve(name, 0);
    else accounts.add(name, account.accesses, account.dropped);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return isRecord(value) && !(value instanceof ExactNumber);
}

function isGraphQLError(value: unknown): boolean {
  return isRecord(value) && typeof value.message === 'string';
}
