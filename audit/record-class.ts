/** The kind of a record, on which its retention depends. */
export type RecordClass =
  /** What was read, and what was refused. */
  | 'access'
  /** The life of consents. */
  | 'consent'
  /** Who may do what: revocations, keys, clients, policies, sign-ins. */
  | 'security'
  /** The log itself: what is not in it any more, and who looked for whom. */
  | 'log';

/**
 * Every {@link RecordClass}.
 *
 * @example
 * ```ts
 * import { recordClasses } from '@behalf/audit';
 *
 * console.log(recordClasses); // ['access', 'consent', 'security', 'log']
 * ```
 */
export const recordClasses: readonly RecordClass[] = Object.freeze(['access', 'consent', 'security', 'log']);

/** What an event means. */
export interface AuditEventDescription {
  readonly class: RecordClass;
  readonly description: string;
  /** The members that its `details` can have. */
  readonly details: readonly string[];
}
