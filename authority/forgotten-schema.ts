import type { ColumnType, Generated } from 'kysely';

/** People who were just forgotten. See consent/finish-forgetting.ts for when their row goes. */
export interface ForgottenPersonTable {
  /** Stands for the name everywhere else. */
  readonly tombstone: Generated<string>;
  readonly subject: string;
  readonly forgotten_at: ColumnType<Date, never, never>;
}
