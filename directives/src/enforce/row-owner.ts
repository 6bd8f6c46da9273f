/** Whose a type's rows are, as far as a request needs to know. */
export interface RowOwner {
  /** Property of a row with its subject. */
  readonly property: string;
  /** Index of the alternatives by which a delegation reads every subject's rows. */
  readonly exemptionIndex: number;
}

/** The owner of a row; undefined if it names none. */
export function subjectOf(row: unknown, property: string): string | undefined {
  if (typeof row !== 'object' || row === null) return undefined;
  const subject = (row as Record<string, unknown>)[property];
  return typeof subject === 'string' && subject !== '' ? subject : undefined;
}
