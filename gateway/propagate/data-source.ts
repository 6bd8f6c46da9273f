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
import { readAccount } from './facts.js';
import { UnsendableHeaderError } from './subgraph-headers.js';
import type { SubgraphHeaders } from './subgraph-headers.js';
import { failureReason, postToSubgraph } from './subgraph-http.js';
import type { SubgraphAnswer } from './subgraph-http.js';
import { propagationOf } from './propagation.js';
import type { Propagation } from './propagation.js';

export interface DataSourceOptions {
  readonly name: string;
  readonly url: string;
  /** Of the address's origin; whoever made it closes it. */
  readonly pool: Pool;
  /** The headers that this subgraph relies on; undefined where the configuration names none. */
  readonly headers: SubgraphHeaders | undefined;
  /** For one request as a whole: a subgraph that sends a byte now and then does not keep it open. */
  readonly timeoutMs: number;
  /** The transaction token for this request; undefined for a caller without a delegation. */
  readonly txnToken: (propagation: Propagation, request: SubgraphRequest) => string | undefined;
  readonly errors: SubgraphErrorOptions;
  /** Called when it answered a request with a transaction token and gave no account. */
  readonly whenUnaccounted: () => void;
  /** Errors go on as the subgraph reported them. */
  readonly isShadow: boolean;
  /** By coordinate: what the subgraph can resolve, and so give account of. */
  readonly accountable: ReadonlyMap<string, AccountableField>;
  /** Of the supergraph: what the fields of an answer are. */
  readonly schema: GraphQLSchema;
  readonly log: GatewayLog;
}

/** What is sent to the subgraph, as JSON. */
export interface SubgraphRequest {
  readonly query: string | undefined;
  readonly variables: Readonly<Record<string, unknown>> | undefined;
  readonly operationName: string | undefined;
}

const JSON_TYPES = /^application\/(graphql-response\+)?json\b/i;

type SubgraphResponse = Awaited<ReturnType<GraphQLDataSource['process']>>;

/**
 * Asks one subgraph over a keep-alive pool. It sends the operation, the transaction token, the trace and the headers that the
 * configuration names for this subgraph; it takes the facts of what was read out of the answer.
 *
 * `Cache-Control` of a subgraph is not handed on: what depends on a delegation is for no shared cache.
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
      // By name: what an object inherits is not an account.
      if (Object.hasOwn(extensions, FACTS_EXTENSION)) facts = given;
      // A request that the subgraph could not execute has no account either, wherever the library runs.
      else if (propagation?.delegation !== undefined && isRecord(answer.data))
        this.#options.whenUnaccounted();
      this.#refuseOtherEntities(answer, fetch);
      const response = this.#withReadErrors(answer, fetch);
      return facts === undefined ? response : { ...response, extensions: others };
    } finally {
      // Also for an answer that did not come: the subgraph may have read what it was asked for.
      if (propagation !== undefined) this.#collect(facts, propagation);
    }
  }

  /** @apollo/gateway would give up the fetch for it, in words of its own and without telling where. */
  #refuseOtherEntities({ data }: SubgraphResponse, fetch: SubgraphFetch): void {
    if (fetch.entities === 0 || data === undefined || data === null) return;
    const entities: unknown = data._entities;
    if (Array.isArray(entities) && entities.length === fetch.entities) return;
    // A client's variable can be called as the planner's is.
    if (fetch.sent.isForEntities) throw this.#failure(fetch, 'SUBREQUEST_MALFORMED_RESPONSE', 'ENTITIES');
  }

  /** Errors become Behalf's own here, before anything else sees what the subgraph wrote. */
  #withReadErrors(response: SubgraphResponse, fetch: SubgraphFetch): SubgraphResponse {
    const { errors: reported, ...others } = response;
    // An empty list is nothing that went wrong.
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
      return headers.of(propagation.delegation, propagation.exchange.incoming.headers);
    } catch (error) {
      if (!(error instanceof UnsendableHeaderError)) throw error;
      // The subgraph would take the caller for nobody, or for somebody else.
      log.log('error', 'IDENTITY_HEADER_UNSENDABLE', { subgraph: name, header: error.header });
      throw fetchFailure(fetch, 'SUBREQUEST_HTTP_ERROR');
    }
  }

  /** Numbers that a double cannot hold become what their fields can hold, or errors at their places. */
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

  /** The client learns which subgraph failed; why, and where it is, stays in the log. */
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
    const { name, accountable } = this.#options;
    if (facts === undefined) {
      // A protected subgraph gives account to whoever comes with a token, and to nobody else.
      if (delegation !== undefined) accounts.miss(name);
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
