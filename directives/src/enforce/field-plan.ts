import type { FilterInputs, FilteredMembers } from '../decide/filter-inputs.js';
import type { Requirement } from '../decide/requirement.js';
import type { Minimizer } from '../minimize/minimizer.js';
import type { RecordedField } from '../record/recorder.js';
import type { EntityKey } from './entity-key.js';
import type { OwnRows } from './own-rows.js';
import type { RowOwner } from './row-owner.js';

/** Everything that one field's wrapper needs, computed before the first request. */
export interface FieldPlan {
  readonly record: RecordedField;
  /** The same coordinate with `@subject` as the deciding rule. */
  readonly subjectRecord: RecordedField;
  readonly requirement: Requirement;
  readonly requirementIndex: number;
  /** Its arguments that `@filters` puts under the rules of fields; undefined if there are none. */
  readonly filters: FieldFilters | undefined;
  /** Whether it is a root field, with which an operation begins. */
  readonly isRoot: boolean;
  /** Whose the row is that this field is read from. */
  readonly rowOwner: RowOwner | undefined;
  /** Whose the rows are that this field returns, if they are of one type. */
  readonly returnedOwner: RowOwner | undefined;
  /** Removes foreign rows; undefined if none can be returned. */
  readonly ownRows: OwnRows | undefined;
  readonly minimization: PlannedMinimization | undefined;
}

/** What `@minimize` says about a field. */
export interface PlannedMinimization {
  /** Of its decision. */
  readonly index: number;
  /** Of the type that the field belongs to. */
  readonly entityKey: EntityKey | undefined;
  /** By the index of the statement. */
  readonly statements: readonly PlannedStatement[];
}

/** One statement of it. */
export interface PlannedStatement {
  readonly record: RecordedField;
  /** Whether the resolver returns rows behind a statistic (`AGGREGATE`): in shadow mode as well, they are not of the field's type. */
  readonly isStatistic: boolean;
  readonly minimizer: Minimizer;
}

/** The arguments of one field that come under the rules of other fields. */
export interface FieldFilters {
  readonly members: FilteredMembers;
  readonly inputs: FilterInputs;
  /** The same coordinate with `@filters` as the deciding rule. */
  readonly record: RecordedField;
}
