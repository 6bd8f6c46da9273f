import { setTimeout as sleep } from 'node:timers/promises';

/** How often a condition is looked at. */
const EVERY_MS = 15;

/**
 * Waits until the condition holds. A test waits for the state that it needs, not for a time in which it should be reached.
 *
 * @param timeoutMs when it counts as never; long, because the machine may be busy
 * @returns the milliseconds that it took
 */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 60_000,
): Promise<number> {
  const since = performance.now();
  while (!(await isSo())) {
    if (performance.now() - since > timeoutMs) throw new Error(`never happened: ${what}`);
    await sleep(EVERY_MS);
  }
  return performance.now() - since;
}

/** How long `pause` takes. */
const PAUSE_MS = 50;

/** Gives what must not happen the time to happen. For what must happen there is `until`, and for what happens later a `ManualClock`. */
export async function pause(): Promise<void> {
  await sleep(PAUSE_MS);
}

/** Waits until the clock shows this moment. */
export async function untilMoment(moment: Date | number): Promise<void> {
  await until(() => Date.now() >= Number(moment), 'the moment');
}

/**
 * Cut-offs are in whole seconds: a token from the same second counts as earlier. Both are dated by PostgreSQL's clock and not by
 * the authority's (decision 35), so a `ManualClock` does not replace this wait. A token that the test makes itself needs none:
 * its `iat` can be chosen.
 */
export async function nextSecond(): Promise<void> {
  await untilMoment((Math.floor(Date.now() / 1_000) + 1) * 1_000);
}
