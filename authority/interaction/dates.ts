const FORM = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'long',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  timeZone: 'UTC',
});

/** Formats a time for people, explicitly in UTC, because their time zone is unknown here. */
export function inWords(moment: Date): string {
  return `${FORM.format(moment)} UTC`;
}
