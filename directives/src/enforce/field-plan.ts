import type { Requirement } from '../decide/requirement.js';
import type { Minimizer } from '../minimize/minimizer.js';
import type { RecordedField } from '../record/recorder.js';
import type { OwnRows } from './own-rows.js';

/** Everything that one field's wrapper needs, computed before the first request. */
export interface FieldPlan {
  readonly record: RecordedField;
  /** The same coordinate with `@subject` as the deciding rule. */
  readonly subjectRecord: RecordedField;
  readonly requirement: Requirement;
  readonly requirementIndex: number;
  /** Whether it is a root field, with which an operation begins. */
  readonly isRoot: boolean;
  /** Property with the subject of the row that this field is read from. */
  readonly rowSubject: string | undefined;
  /** Property with the subject of the rows that this field returns, if they are of one type. */
  readonly returnedSubject: string | undefined;
  /** Removes foreign rows; undefined if none can be returned. */
  readonly ownRows: OwnRows | undefined;
  readonly minimizer: Minimizer | undefined;
  readonly exemptionIndex: number;
}
