const UNITS = [
  { unit: 'day', seconds: 24 * 60 * 60 },
  { unit: 'hour', seconds: 60 * 60 },
  { unit: 'minute', seconds: 60 },
  { unit: 'second', seconds: 1 },
] as const;

/** Formats a time for people, explicitly in UTC, because their time zone is unknown here. */
export function timeInWords(moment: Date, language: string): string {
  const form = new Intl.DateTimeFormat(localeOf(language), {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZone: 'UTC',
  });
  return `${form.format(moment)} UTC`;
}

/** @param day a calendar day, `YYYY-MM-DD` */
export function dayInWords(day: string, language: string): string {
  const form = new Intl.DateTimeFormat(localeOf(language), { dateStyle: 'long', timeZone: 'UTC' });
  return form.format(new Date(`${day}T00:00:00Z`));
}

/** A duration in the largest unit of which it is a multiple, with the plural of the language: `90 days`. */
export function durationInWords(seconds: number, language: string): string {
  const whole = UNITS.find((each) => seconds % each.seconds === 0) ?? UNITS[3];
  const form = new Intl.NumberFormat(localeOf(language), {
    style: 'unit',
    unit: whole.unit,
    unitDisplay: 'long',
  });
  return form.format(seconds / whole.seconds);
}

/** A language in its own words: Deutsch. */
export function nameOfLanguage(language: string): string {
  return new Intl.DisplayNames(language, { type: 'language' }).of(language) ?? language;
}

/** Intl takes plain English for that of the United States. */
function localeOf(language: string): string {
  return language === 'en' ? 'en-001' : language;
}
