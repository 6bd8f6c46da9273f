/** A time for people, in ISO 8601. Whoever wrote it may have written a number that is no time, or PostgreSQL's `infinity`. */
export function printedTime(time: number | Date): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? String(time) : date.toISOString();
}
