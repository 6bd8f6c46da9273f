import type { Requirement } from '../decide/requirement.js';
import type { Minimizer } from '../minimize/minimizer.js';
import type { RecordedField } from '../record/recorder.js';
import type { OwnRows } from './own-rows.js';

/** Everything that one field's wrapper needs, worked out before the first request. */
export interface FieldPlan {
  readonly record: RecordedField;
  /** The same coordinate with `@subject` as the rule that decided. */
  readonly subjectRecord: RecordedField;
  readonly requirement: Requirement;
  readonly requirementIndex: number;
  /** Whether it stands on a root type: with it, an operation begins. */
  readonly isRoot: boolean;
  /** Property that holds the subject of the row which this field is read from. */
  readonly rowSubject: string | undefined;
  /** Property that holds the subject of the rows which this field returns, where they are of one type. */
  readonly returnedSubject: string | undefined;
  /** Leaves out foreign rows; undefined where none can be returned. */
  readonly ownRows: OwnRows | undefined;
  readonly minimizer: Minimizer | undefined;
  readonly exemptionIndex: number;
}
