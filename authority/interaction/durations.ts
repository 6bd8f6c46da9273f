import type { DurationChoice } from '../pages/consent.js';

const UNITS = [
  { seconds: 24 * 60 * 60, one: 'day' },
  { seconds: 60 * 60, one: 'hour' },
  { seconds: 60, one: 'minute' },
  { seconds: 1, one: 'second' },
] as const;

/** The choices up to the longest permitted duration; if all exceed it, only that duration. */
export function durationsWithin(
  choices: readonly DurationChoice[],
  longestSeconds: number,
): readonly DurationChoice[] {
  const within = choices.filter(({ seconds }) => seconds <= longestSeconds);
  if (within.length > 0 || longestSeconds <= 0) return within;
  return [{ seconds: longestSeconds, label: labelOf(longestSeconds) }];
}

function labelOf(seconds: number): string {
  const unit = UNITS.find((each) => seconds % each.seconds === 0) ?? UNITS[3];
  const count = seconds / unit.seconds;
  return `${count} ${unit.one}${count === 1 ? '' : 's'}`;
}
