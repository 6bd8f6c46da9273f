const PARTS = /^P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})S)?)?$/;
const PART_SECONDS = [7 * 86_400, 86_400, 3_600, 60, 1] as const;
const MAX_SECONDS = 10 * 365 * 86_400;

/**
 * Seconds of an ISO 8601 duration: `P30D`, `PT1H`, `P1DT12H`. Years and months are none here, because nobody could say
 * how many seconds they have.
 *
 * @returns undefined for what is no duration, for none at all (`PT0S`), and for more than ten years
 */
export function durationSeconds(text: string): number | undefined {
  const parts = PARTS.exec(text);
  if (parts === null || text.endsWith('T')) return undefined;
  const seconds = PART_SECONDS.reduce((sum, unit, index) => sum + unit * Number(parts[index + 1] ?? 0), 0);
  return seconds > 0 && seconds <= MAX_SECONDS ? seconds : undefined;
}

/** Whether it is a calendar day `YYYY-MM-DD` that exists. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  // 30 February is 2 March to some engines and no date to others.
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}
