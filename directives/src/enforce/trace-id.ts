import { isSpanContextValid, trace } from '@opentelemetry/api';
import { requestStateOf } from './request-state.js';

/** The W3C trace that a request belongs to, 32 hex digits; undefined if the gateway named none. */
export function traceIdOf(contextValue: unknown): string | undefined {
  const state = requestStateOf(contextValue);
  const span = state === undefined ? undefined : trace.getSpanContext(state.parent);
  return span !== undefined && isSpanContextValid(span) ? span.traceId : undefined;
}
