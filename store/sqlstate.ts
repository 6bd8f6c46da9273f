/** PostgreSQL's error codes that something is decided by (its documentation, appendix A). */
export const SQLSTATE = Object.freeze({
  uniqueViolation: '23505',
  deadlock: '40P01',
  insufficientPrivilege: '42501',
  duplicateSchema: '42P06',
  duplicateTable: '42P07',
  duplicateObject: '42710',
  /** The table of locks is full. */
  outOfMemory: '53200',
  /** A bound of the server is reached: the queue of notifications is full, or one of ours raised it. */
  programLimitExceeded: '54000',
  lockNotAvailable: '55P03',
  /** Statement timeout. */
  queryCanceled: '57014',
  /** Two sessions changed one row of the catalogue. */
  internalError: 'XX000',
});

/** The code of an error that came from PostgreSQL; undefined for any other. */
export function sqlStateOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Whether another session that did the same at the same time was quicker: what it did is there when this is done again. */
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
