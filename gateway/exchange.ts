import { randomUUID } from 'node:crypto';
import { parentContext } from '@behalf/directives/internal';
import type { Delegation } from '@behalf/directives';
import { isSpanContextValid, SpanKind, trace } from '@opentelemetry/api';
import type { Span } from '@opentelemetry/api';
import type { AuthenticatedToken } from './authenticate/index.js';
import type { Authorization, ClientOperation, ExecutionOutcome } from './authorize/index.js';
import type { SplitOperation } from './introspection/index.js';
import type { SharedPlanning } from './plan/query-plans.js';
import type { ClientHeaders } from './propagate/subgraph-headers.js';
import type { PolicyRules } from './rules.js';
import { AccessAccounts } from './seal/accounts.js';

/**
 * What of an HTTP request the pipeline reads. Nothing else of it goes anywhere. What is left out is not known, and a token
 * that is bound to it is refused.
 */
export interface Incoming {
  /** Every value of the `Authorization` header. */
  readonly authorization: readonly string[];
  /** Every value of the `DPoP` header (RFC 9449). */
  readonly dpop?: readonly string[] | undefined;
  readonly method?: string | undefined;
  /** The whole address, as the client knows it: a DPoP proof is for this address and no other. */
  readonly url?: string | undefined;
  /** DER of the certificate whose key the client proved to hold (RFC 8705). */
  readonly clientCertificate?: Uint8Array | undefined;
  /** The client's headers, of which those reach a subgraph that its `forwardHeaders` names, and no others. */
  readonly headers?: ClientHeaders | undefined;
  /** W3C Trace Context. */
  readonly traceparent?: string | undefined;
  /** One of several operations in one HTTP request: none of them decides the status of them all. */
  readonly isBatch?: boolean | undefined;
  /** Address of the client, for the record. */
  readonly remoteAddress?: string | undefined;
}

/** What all operations of one HTTP request have used together. */
export interface SharedUse extends SharedPlanning {
  /** Tokens of texts that were parsed. */
  tokens: number;
}

/** One request on its way through the pipeline: each step reads what the ones before it wrote. */
export class Exchange {
  /** `txn` of every transaction token, and of the audit record. */
  readonly transactionId = randomUUID();
  readonly startedAtMs = Date.now();
  readonly span: Span;
  /** What the subgraphs are sent. */
  readonly traceparent: string;
  /** For the record, 32 hex digits. Never chosen by the client: those 16 bytes could be anything. */
  readonly traceId: string;
  /** The trace that the request came with, and goes on in. */
  readonly traceLink: string | undefined;

  // authenticate
  authenticated = false;
  /** As the issuer made it; {@link token} is what the rules leave of it. */
  verified: AuthenticatedToken | undefined;
  token: AuthenticatedToken | undefined;
  /** By which {@link token} was cut. */
  rules: PolicyRules | undefined;
  /** Who asks, with the policies that were answered for this request. */
  delegation: Delegation | undefined;
  /** Headers of the answer, whatever becomes of the operation. */
  readonly responseHeaders = new Map<string, string>();

  // limit
  /** It was counted against the client's rate class, as one request. */
  counted = false;
  shared: SharedUse = { tokens: 0, planning: undefined };

  // authorize
  operation: ClientOperation | undefined;
  variables: Readonly<Record<string, unknown>> = {};
  /** What of the operation asks for the schema and is answered by what the caller can reach. */
  introspection: SplitOperation | undefined;
  /** What of it asks for data: the whole operation, unless a part is answered otherwise. */
  asked: ClientOperation | undefined;
  authorization: Authorization | undefined;
  /** The denials were only noted: what the client asked for was executed whole. */
  isShadow = false;

  // propagate
  readonly txnTokens = new Map<string, string>();
  /** What the subgraphs say that they did. */
  readonly accounts = new AccessAccounts();
  outcome: ExecutionOutcome | undefined;
  introspectionOutcome: ExecutionOutcome | undefined;

  /** Of the operations over one context value, as they were taken; shared by all of them. */
  private taken: Exchange[] = [];

  constructor(readonly incoming: Incoming) {
    const parent = parentContext(incoming.traceparent);
    this.span = trace
      .getTracer('@behalf/gateway')
      .startSpan('behalf.request', { kind: SpanKind.SERVER }, parent);
    this.traceparent = traceparentOf(this.span);
    const continued = trace.getSpanContext(parent);
    this.traceLink = continued !== undefined && isSpanContextValid(continued) ? continued.traceId : undefined;
    this.traceId = this.traceLink === undefined ? this.traceparent.slice(3, 35) : hexOfUuid();
  }

  /**
   * The exchange for one operation: this one, and for each further operation over the same context value one of its own.
   * Operations that ran together over one exchange would execute each other's documents.
   */
  forOperation(): Exchange {
    if (this.taken.length === 0) {
      this.taken.push(this);
      return this;
    }
    const other = new Exchange(this.incoming);
    other.taken = this.taken;
    other.taken.push(other);
    other.shared = this.shared;
    other.authenticated = this.authenticated;
    other.verified = this.verified;
    other.token = this.token;
    other.rules = this.rules;
    // As it came: policies are answered for each operation.
    other.delegation = this.token?.delegation;
    return other;
  }

  /** Every exchange over this one's context value; itself alone until a further operation was taken. */
  get family(): readonly Exchange[] {
    return this.taken.length === 0 ? [this] : this.taken;
  }
}

/** Without an OpenTelemetry SDK there is no span to name; the trace is then begun here, so that logs still join. */
function traceparentOf(span: Span): string {
  const context = span.spanContext();
  if (!isSpanContextValid(context)) {
    // Two identifiers from the runtime's own pool of random bytes.
    return `00-${hexOfUuid()}-${hexOfUuid().slice(0, 16)}-00`;
  }
  return `00-${context.traceId}-${context.spanId}-${context.traceFlags.toString(16).padStart(2, '0')}`;
}

function hexOfUuid(): string {
  return randomUUID().replaceAll('-', '');
}

/** Where an exchange stands in the context value of Apollo Server, and on the way to the data sources. */
export const EXCHANGE: unique symbol = Symbol('behalf.exchange');

export interface ExchangeContext {
  readonly [EXCHANGE]: Exchange;
}

export function exchangeOf(contextValue: unknown): Exchange | undefined {
  if (typeof contextValue !== 'object' || contextValue === null) return undefined;
  const exchange = (contextValue as Partial<ExchangeContext>)[EXCHANGE];
  return exchange instanceof Exchange ? exchange : undefined;
}
