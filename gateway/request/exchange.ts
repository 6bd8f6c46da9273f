import { randomUUID } from 'node:crypto';
import { parentContext } from '@behalf/directives/internal';
import { isSpanContextValid, SpanKind, trace } from '@opentelemetry/api';
import type { Span } from '@opentelemetry/api';

/** Names and values as `node:http` gives them (`headersDistinct` or `headers`), or one value for each name. */
export type ClientHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * The parts of an HTTP request that the gateway reads. A missing part is unknown, and a token that is bound to it is refused.
 */
export interface IncomingRequest {
  /** Every value of the `Authorization` header. */
  readonly authorization: readonly string[];
  /** Every value of the `DPoP` header (RFC 9449). */
  readonly dpop?: readonly string[] | undefined;
  readonly method?: string | undefined;
  /** The full address, as the client knows it: a DPoP proof is for this address only. */
  readonly url?: string | undefined;
  /** DER of the certificate whose key the client has proved to hold (RFC 8705). */
  readonly clientCertificate?: Uint8Array | undefined;
  /** The client's headers; only those that a subgraph's `forwardHeaders` names are sent to it. */
  readonly headers?: ClientHeaders | undefined;
  /** W3C Trace Context. */
  readonly traceparent?: string | undefined;
  /** Whether the HTTP request holds several operations, so that no single one decides the status. */
  readonly isBatch?: boolean | undefined;
  /** Address of the client, for the audit record. */
  readonly remoteAddress?: string | undefined;
}

/** The identity of one operation in the log, the trace and the audit record. It never changes. */
export class Exchange {
  /** `txn` of every transaction token, and of the audit record. */
  readonly transactionId = randomUUID();
  readonly startedAtMs = Date.now();
  readonly span: Span;
  /** The trace context for the subgraphs. */
  readonly traceparent: string;
  /** For the audit record, 32 hex digits. Never chosen by the client: those 16 bytes could contain anything. */
  readonly traceId: string;
  /** The request's own trace, in which it continues. */
  readonly traceLink: string | undefined;

  constructor(readonly incoming: IncomingRequest) {
    const parent = parentContext(incoming.traceparent);
    this.span = trace
      .getTracer('behalf/gateway')
      .startSpan('behalf.request', { kind: SpanKind.SERVER }, parent);
    this.traceparent = traceparentOf(this.span);
    const continued = trace.getSpanContext(parent);
    this.traceLink = continued !== undefined && isSpanContextValid(continued) ? continued.traceId : undefined;
    this.traceId = this.traceLink === undefined ? this.traceparent.slice(3, 35) : hexOfUuid();
  }
}

/** Without an OpenTelemetry SDK there is no span; the trace then begins here, so that logs still join. */
function traceparentOf(span: Span): string {
  const context = span.spanContext();
  if (!isSpanContextValid(context)) {
    // UUIDs come from the runtime's pool of random bytes, which is cheaper than requesting 24 bytes.
    return `00-${hexOfUuid()}-${hexOfUuid().slice(0, 16)}-00`;
  }
  return `00-${context.traceId}-${context.spanId}-${context.traceFlags.toString(16).padStart(2, '0')}`;
}

function hexOfUuid(): string {
  return randomUUID().replaceAll('-', '');
}
