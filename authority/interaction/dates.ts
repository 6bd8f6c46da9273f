const FORM = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'long',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  timeZone: 'UTC',
});

/** A moment as a person reads it. In UTC, and saying so: nobody knows here where they are. */
export function inWords(moment: Date): string {
  return `${FORM.format(moment)} UTC`;
}
