/** The PostgreSQL error codes that decisions depend on (PostgreSQL documentation, appendix A). */
export const SQLSTATE = Object.freeze({
  uniqueViolation: '23505',
  deadlock: '40P01',
  insufficientPrivilege: '42501',
  duplicateSchema: '42P06',
  duplicateTable: '42P07',
  duplicateObject: '42710',
  undefinedSchema: '3F000',
  undefinedFunction: '42883',
  undefinedTable: '42P01',
  /** The lock table is full. */
  outOfMemory: '53200',
  /** A limit of the server is reached: the notification queue is full, or one of our own functions raised it. */
  programLimitExceeded: '54000',
  lockNotAvailable: '55P03',
  /** Statement timeout. */
  queryCanceled: '57014',
  /** Two sessions changed the same catalogue row. */
  internalError: 'XX000',
});

/** The SQLSTATE of an error from PostgreSQL; undefined for any other error. */
export function sqlStateOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Whether a concurrent session did the same thing first, so that a retry will find it done. */
export function isRace(error: unknown): boolean {
  switch (sqlStateOf(error)) {
    case SQLSTATE.uniqueViolation:
    case SQLSTATE.duplicateSchema:
    case SQLSTATE.duplicateTable:
    case SQLSTATE.duplicateObject:
    case SQLSTATE.deadlock:
      return true;
    case SQLSTATE.internalError:
      return error instanceof Error && error.message.startsWith('tuple concurrently');
    default:
      return false;
  }
}
