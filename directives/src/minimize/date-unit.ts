/** The units of `GENERALIZE`, from the finest to the coarsest. */
export const DATE_UNITS = Object.freeze([
  'DAY',
  'WEEK',
  'MONTH',
  'QUARTER',
  'YEAR',
  'DECADE',
  'CENTURY',
] as const);

/** A unit of the calendar. Weeks begin on Monday (ISO 8601). */
export type DateUnit = (typeof DATE_UNITS)[number];
