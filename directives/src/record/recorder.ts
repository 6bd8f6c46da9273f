import { context as otelContext, SpanKind, trace, TraceFlags } from '@opentelemetry/api';
import type { Context } from '@opentelemetry/api';
import type { Clock } from '../clock.js';
import { withoutUndefined } from '../without-undefined.js';
import { ACCESS_DECISIONS, MAX_SUBJECT_LENGTH, MAX_SUBJECTS } from './facts.js';
import type { AccessDecision, AccessFacts } from './facts.js';
import { FIELD_SPAN } from './field-span.js';
import type { FieldSpanAttributes } from './field-span.js';

/** How often a coordinate was resolved with one decision. */
interface RecordedAccess {
  readonly coordinate: string;
  readonly decision: AccessDecision;
  readonly count: number;
  readonly strategy: string | undefined;
  readonly level: string | undefined;
  readonly rule: string | undefined;
}

/** A coordinate, as the recorder counts it; compiled once. */
export interface RecordedField {
  readonly index: number;
  readonly coordinate: string;
  readonly rule: string | undefined;
  readonly strategy: string | undefined;
  /** Of `@minimize`, if the strategy is not the default one. */
  readonly level?: string | undefined;
}

/** The request whose accesses were counted, for its spans. */
export interface RecordedRequest {
  readonly subgraph: string;
  /** The gateway's span. */
  readonly parent: Context;
  readonly transactionId?: string | undefined;
}

const DECISIONS: readonly AccessDecision[] = ACCESS_DECISIONS;
const ALLOWED = DECISIONS.indexOf('allowed');
const MINIMIZED = DECISIONS.indexOf('minimized');
const DENIED = DECISIONS.indexOf('denied');
const WOULD_DENY = DECISIONS.indexOf('would-deny');
const WOULD_MINIMIZE = DECISIONS.indexOf('would-minimize');

/**
 * Counts, for one request, how often each coordinate was read and with what decision. A count is an increment in a typed array:
 * nothing is allocated per row.
 */
export class AccessRecorder {
  readonly #counts: Uint32Array;
  #touched: number[] = [];
  readonly #subjects = new Set<string>();
  #hasMoreSubjects = false;
  #startTime: number;

  readonly #fields: readonly RecordedField[];
  readonly #clock: Clock;

  constructor(fields: readonly RecordedField[], clock: Clock) {
    this.#fields = fields;
    this.#clock = clock;
    this.#startTime = clock.now();
    this.#counts = new Uint32Array(fields.length * DECISIONS.length);
  }

  allowed(field: RecordedField): void {
    this.#increment(field.index * DECISIONS.length + ALLOWED);
  }

  minimized(field: RecordedField): void {
    this.#increment(field.index * DECISIONS.length + MINIMIZED);
  }

  denied(field: RecordedField, count = 1): void {
    this.#increment(field.index * DECISIONS.length + DENIED, count);
  }

  wouldDeny(field: RecordedField): void {
    this.#increment(field.index * DECISIONS.length + WOULD_DENY);
  }

  wouldMinimize(field: RecordedField): void {
    this.#increment(field.index * DECISIONS.length + WOULD_MINIMIZE);
  }

  /** Notes whose row was read. */
  readRowOf(subject: string): void {
    if (this.#subjects.has(subject)) return;
    if (this.#subjects.size < MAX_SUBJECTS && subject.length <= MAX_SUBJECT_LENGTH)
      this.#subjects.add(subject);
    else this.#hasMoreSubjects = true;
  }

  #increment(slot: number, by = 1): void {
    const before = this.#counts[slot] ?? 0;
    if (before === 0) this.#touched.push(slot);
    this.#counts[slot] = before + by;
  }

  /**
   * Ends the record so far: emits its spans, one per coordinate and decision, and returns the facts in their wire form for the
   * gateway. Later counts (the next event of a subscription, the next operation of a batch) start from zero, so that nothing is
   * reported twice. Spans cost nothing without a registered SDK.
   */
  take(of: RecordedRequest): AccessFacts {
    const accesses = this.#accesses();
    emitSpans(accesses, of, this.#startTime);
    for (const slot of this.#touched) this.#counts[slot] = 0;
    this.#touched = [];
    this.#startTime = this.#clock.now();
    const subjects = [...this.#subjects];
    const moreSubjects = this.#hasMoreSubjects ? true : undefined;
    this.#subjects.clear();
    this.#hasMoreSubjects = false;
    return withoutUndefined({
      v: 1 as const,
      fields: accesses.map(
        ({ coordinate, decision, count, strategy, rule }) =>
          [coordinate, decision, count, strategy ?? null, rule ?? null] as const,
      ),
      subjects: subjects.length === 0 ? undefined : subjects,
      moreSubjects,
    });
  }

  #accesses(): RecordedAccess[] {
    return this.#touched.flatMap((slot) => {
      const field = this.#fields[Math.floor(slot / DECISIONS.length)];
      const decision = DECISIONS[slot % DECISIONS.length];
      if (field === undefined || decision === undefined) return [];
      return [
        {
          coordinate: field.coordinate,
          decision,
          count: this.#counts[slot] ?? 0,
          rule: field.rule,
          strategy: field.strategy,
          level: field.level,
        },
      ];
    });
  }
}

function emitSpans(
  accesses: readonly RecordedAccess[],
  { subgraph, parent, transactionId }: RecordedRequest,
  startTime: number,
): void {
  const tracer = trace.getTracer('@behalf/directives');
  for (const { coordinate, decision, count, level, strategy, rule } of accesses) {
    const attributes: FieldSpanAttributes = {
      'behalf.coordinate': coordinate,
      'behalf.decision': decision,
      'behalf.count': count,
      'behalf.subgraph': subgraph,
      'behalf.strategy': strategy,
      'behalf.level': level,
      'behalf.rule': rule,
      'behalf.transaction_id': transactionId,
    };
    tracer.startSpan(FIELD_SPAN, { kind: SpanKind.INTERNAL, startTime, attributes }, parent).end();
  }
}

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** The span that a `traceparent` header names (W3C Trace Context section 3.2), so that spans join the gateway's trace. */
export function parentContext(traceparent: string | readonly string[] | undefined): Context {
  const match = typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent) : null;
  if (match === null) return otelContext.active();
  const [, traceId = '', spanId = '', flags = '00'] = match;
  return trace.setSpanContext(otelContext.active(), {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED,
    isRemote: true,
  });
}
