const PARTS = /^P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})S)?)?$/;
const PART_SECONDS = [7 * 86_400, 86_400, 3_600, 60, 1] as const;
const MAX_SECONDS = 10 * 365 * 86_400;

/**
 * The seconds of an ISO 8601 duration such as `P30D`, `PT1H` or `P1DT12H`. Years and months are refused, because their length in
 * seconds varies.
 *
 * @returns undefined if the text is not a duration, or is zero (`PT0S`), or exceeds ten years
 */
export function durationSeconds(text: string): number | undefined {
  const parts = PARTS.exec(text);
  if (parts === null || text.endsWith('T')) return undefined;
  const seconds = PART_SECONDS.reduce((sum, unit, index) => sum + unit * Number(parts[index + 1] ?? 0), 0);
  return seconds > 0 && seconds <= MAX_SECONDS ? seconds : undefined;
}

/** Whether the text is an existing calendar day, `YYYY-MM-DD`. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  // Some engines read 30 February as 2 March, others as an invalid date.
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}
