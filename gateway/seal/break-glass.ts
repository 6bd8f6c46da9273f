import { ConfigurationError } from '../errors.js';

/** Records are not required for a limited time, because somebody decided so: data leaves while the log cannot be written. */
export interface BreakGlassOptions {
  /** When records are required again, RFC 3339. At most 24 hours after the start. */
  readonly until: string;
  /** Who decided it. */
  readonly by: string;
  /** Why, such as the number of an incident. */
  readonly reason: string;
}

export interface BreakGlass extends Omit<BreakGlassOptions, 'until'> {
  readonly untilMs: number;
}

const MAX_MS = 24 * 3_600_000;

/** @throws {ConfigurationError} */
export function readBreakGlass(
  { until, by, reason }: BreakGlassOptions,
  mode: string,
  nowMs: number,
): BreakGlass {
  if (mode !== 'required')
    throw new ConfigurationError('audit.breakGlass', 'is used with mode: required only');
  const untilMs = Date.parse(until);
  if (Number.isNaN(untilMs) || !/T.*(?:Z|[+-]\d\d:\d\d)$/.test(until))
    throw new ConfigurationError('audit.breakGlass.until', 'must be a time such as 2026-11-30T18:00:00Z');
  if (untilMs > nowMs + MAX_MS)
    throw new ConfigurationError('audit.breakGlass.until', 'must be within 24 hours');
  return { untilMs, by, reason };
}
