import { addDecimals } from '../decimal.js';
import type { Decimal } from '../decimal.js';
import { statisticError } from './statistic-error.js';
import type { GroupValue } from './row-values.js';

/** What is counted of one row. */
export interface CountedRow {
  readonly values: readonly GroupValue[];
  /** Index; 0 without buckets. */
  readonly bucket: number;
  readonly subject: string;
  /** Undefined if rows are only counted. */
  readonly number: Decimal | undefined;
  /** How the number was written. */
  readonly form: NumberForm;
}

export type NumberForm = 'number' | 'bigint' | 'string';

/** A group of rows, and what is known of it. */
export interface Group {
  readonly values: readonly GroupValue[];
  readonly bucket: number;
  count: number;
  sum: Decimal;
  /** Of all its numbers; `string` if they differ. */
  form: NumberForm;
  /** How many distinct subjects; at least the floor if it is not known exactly. */
  subjects: number;
}

interface GrowingGroup extends Group {
  /** Undefined as soon as it does not matter who else there is. */
  members: Set<string> | undefined;
}

export interface GroupingOptions {
  readonly floor: number;
  /** Whether the number of subjects is shown. Otherwise they are counted up to the floor only. */
  readonly countsSubjects: boolean;
  readonly coordinate: string;
}

/** More of them take too much memory for one answer: a group's values are as long as the rows have them. */
const MAX_GROUPS = 10_000;
const MAX_MEMBERS = 1_000_000;

/** Adds rows up by their groups, and holds no row. */
export class Groups {
  readonly #groups = new Map<string, GrowingGroup>();
  #members = 0;
  readonly #options: GroupingOptions;

  constructor(options: GroupingOptions) {
    this.#options = options;
  }

  /** @throws GraphQLError `STATISTIC_TOO_LARGE` */
  add(row: CountedRow): void {
    const group = this.#open(row);
    group.count += 1;
    if (row.number !== undefined) group.sum = addDecimals(group.sum, row.number);
    if (row.form !== group.form) group.form = 'string';
    this.#join(group, row.subject);
  }

  /** Those with enough subjects, by their values: the order of the rows is not to be seen. */
  shown(): readonly Group[] {
    const { floor } = this.#options;
    return [...this.#groups.values()].filter(({ subjects }) => subjects >= floor).sort(compareGroups);
  }

  #open({ bucket, form, values }: CountedRow): GrowingGroup {
    const key = JSON.stringify([bucket, ...values.map((value) => [typeof value, String(value)])]);
    let group = this.#groups.get(key);
    if (group === undefined) {
      if (this.#groups.size === MAX_GROUPS)
        throw statisticError('STATISTIC_TOO_LARGE', this.#options.coordinate);
      const sum: Decimal = { digits: 0n, scale: 0 };
      group = { values, bucket, form, sum, count: 0, subjects: 0, members: new Set() };
      this.#groups.set(key, group);
    }
    return group;
  }

  #join(group: GrowingGroup, subject: string): void {
    const { coordinate, countsSubjects, floor } = this.#options;
    if (group.members === undefined || group.members.has(subject)) return;
    group.members.add(subject);
    group.subjects += 1;
    this.#members += 1;
    if (this.#members > MAX_MEMBERS) throw statisticError('STATISTIC_TOO_LARGE', coordinate);
    if (countsSubjects || group.subjects < floor) return;
    this.#members -= group.subjects;
    group.members = undefined;
  }
}

function compareGroups(one: Group, other: Group): number {
  for (const [index, value] of one.values.entries()) {
    const order = compareValues(value, other.values[index] ?? null);
    if (order !== 0) return order;
  }
  return one.bucket - other.bucket;
}

/** Texts by their code units: an order that depends on no locale. */
function compareValues(one: GroupValue, other: GroupValue): number {
  if (one === other) return 0;
  if (one === null || other === null) return one === null ? -1 : 1;
  const [kind, otherKind] = [typeof one, typeof other];
  if (kind !== otherKind) return kind < otherKind ? -1 : 1;
  return one < other ? -1 : 1;
}
