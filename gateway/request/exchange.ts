import { randomUUID } from 'node:crypto';
import type { Clock } from '@behalf/directives';
import { parentContext, systemClock } from '@behalf/directives/internal';
import type { HeaderReader } from '@behalf/directives/internal';
import { isSpanContextValid, SpanKind, trace } from '@opentelemetry/api';
import type { Span } from '@opentelemetry/api';
import type { IncomingRequest } from './incoming-request.js';

/** Until the operation's type is known, and for a request without an operation (OpenTelemetry, GraphQL server spans). */
export const REQUEST_SPAN = 'GraphQL Operation';

/** The identity of one operation in the log, the trace and the audit record. It never changes. */
export class Exchange {
  /** `txn` of every transaction token, and of the audit record. */
  readonly transactionId = randomUUID();
  readonly startedAtMs: number;
  readonly span: Span;
  /** The trace context for the subgraphs. */
  readonly traceparent: string;
  /** For the audit record, 32 hex digits. Never chosen by the client: those 16 bytes could contain anything. */
  readonly traceId: string;
  /** The request's own trace, in which it continues. */
  readonly traceLink: string | undefined;

  constructor(
    readonly incoming: IncomingRequest,
    /** The client's headers; undefined if the server does not pass them on. */
    readonly clientHeaders?: HeaderReader,
    clock: Pick<Clock, 'now'> = systemClock,
  ) {
    this.startedAtMs = clock.now();
    const parent = parentContext(incoming.traceparent);
    this.span = trace.getTracer('behalf/gateway').startSpan(REQUEST_SPAN, { kind: SpanKind.SERVER }, parent);
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
