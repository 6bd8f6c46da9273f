/** Whose a type's rows are, as far as a request needs to know. */
export interface RowOwner {
  /** Property of a row with its subject. */
  readonly property: string;
  /** Index of the alternatives by which a delegation reads every subject's rows. */
  readonly exemptionIndex: number;
}
