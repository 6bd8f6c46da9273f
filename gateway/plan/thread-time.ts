import { readFileSync } from 'node:fs';
import type { Clock } from '@behalf/directives';

/** Milliseconds that a thread has worked since some moment. */
export type ThreadClock = () => number;

/**
 * The processor time of a thread of this process, as Linux reports it. Elsewhere the wall-clock time, which is never less: on a
 * busy machine an operation is then stopped early.
 *
 * @param threadId as the thread itself read it from `/proc/thread-self`
 * @param clock for the wall-clock time
 */
export function threadClock(threadId: string | undefined, clock: Pick<Clock, 'monotonic'>): ThreadClock {
  if (threadId === undefined || !/^\d+$/.test(threadId)) return () => clock.monotonic();
  const file = `/proc/self/task/${threadId}/schedstat`;
  const read = (): number | undefined => {
    try {
      const nanoseconds = Number(readFileSync(file, 'utf8').split(' ')[0]);
      return nanoseconds > 0 ? nanoseconds / 1e6 : undefined;
    } catch {
      return undefined;
    }
  };
  if (read() === undefined) return () => clock.monotonic();
  let last = 0;
  // A thread that has ended has no file any more, and does no work.
  return () => (last = read() ?? last);
}
