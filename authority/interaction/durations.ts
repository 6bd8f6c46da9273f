import type { DurationChoice } from '../pages/consent.js';

/** The choices up to the longest permitted duration; if all exceed it, only that duration. */
export function durationsWithin(
  choices: readonly DurationChoice[],
  longestSeconds: number,
): readonly DurationChoice[] {
  const within = choices.filter(({ seconds }) => seconds <= longestSeconds);
  if (within.length > 0 || longestSeconds <= 0) return within;
  return [{ seconds: longestSeconds }];
}
