import type { Clock } from '@behalf/directives';

/** Longest time that the file system may take. A mount that hangs may take forever. */
export const MAX_FILE_WAIT_MS = 10_000;
/** Node has four threads for files and names. A call that hangs keeps its thread, and cannot be ended. */
const MAX_HANGING = 3;
/** A second one, because what hung may have been replaced by a mount that works. */
const MAX_HANGING_OF_ONE = 2;

/** The files of calls that were given up on, and have not ended. */
const hanging: string[] = [];

/** What a bounded call fails with: it has a code as the system's errors have. */
export class FileWaitError extends Error {
  override readonly name = 'FileWaitError';

  constructor(readonly code: 'ETIMEDOUT' | 'EBUSY') {
    super(code);
  }
}

/**
 * Waits for a call to the file system, but not forever. A later call is tried again, unless so many hang that they would take
 * every thread.
 *
 * @throws {FileWaitError} `ETIMEDOUT`, `EBUSY`
 */
export async function withinTime<Result>(
  file: string,
  call: () => Promise<Result>,
  clock: Clock,
): Promise<Result> {
  const ofThisFile = hanging.filter((one) => one === file).length;
  if (ofThisFile >= MAX_HANGING_OF_ONE || hanging.length >= MAX_HANGING) throw new FileWaitError('EBUSY');
  let cancel = (): void => undefined;
  let isLate = false;
  const late = new Promise<never>((_resolve, reject) => {
    cancel = clock.after(MAX_FILE_WAIT_MS, () => {
      isLate = true;
      hanging.push(file);
      reject(new FileWaitError('ETIMEDOUT'));
    });
  });
  const called = call().finally(() => {
    cancel();
    if (isLate) hanging.splice(hanging.indexOf(file), 1);
  });
  return Promise.race([called, late]);
}
