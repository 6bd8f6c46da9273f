import { expect, it, vi } from 'vitest';
import { Readiness } from '../../http/readiness.js';
import { Shutdown } from '../../http/shutdown.js';

const never = (): Promise<boolean> => new Promise(() => undefined);

it('names what does not pass, in order: false, a rejection, what throws', async () => {
  const readiness = new Readiness({
    PASSES: () => true,
    FALSE: () => false,
    REJECTS: () => Promise.reject(new Error('down')),
    THROWS: () => {
      throw new Error('down');
    },
    UNDEFINED: () => undefined as never,
    LATER: async () => true,
  });
  expect(await readiness.problems()).toEqual(['FALSE', 'REJECTS', 'THROWS', 'UNDEFINED']);
});

it('does not wait for a check that hangs', async () => {
  vi.useFakeTimers();
  try {
    const problems = new Readiness({ HANGS: never, PASSES: () => true }).problems();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await problems).toEqual(['HANGS']);
  } finally {
    vi.useRealTimers();
  }
});

it('checks once a second, however often it is asked', async () => {
  let nowMs = 0;
  let isUp = false;
  let checks = 0;
  const check = (): boolean => {
    checks += 1;
    return isUp;
  };
  const readiness = new Readiness({ DOWN: check }, () => nowMs);
  await Promise.all([readiness.problems(), readiness.problems()]);
  isUp = true;
  nowMs = 999;
  expect(await readiness.problems()).toEqual(['DOWN']);
  expect(checks).toBe(1);
  nowMs = 1_000;
  expect(await readiness.problems()).toEqual([]);
  expect(checks).toBe(2);
});

it('a shutdown is first draining, then closed once', async () => {
  vi.useFakeTimers();
  try {
    let closed = 0;
    const shutdown = new Shutdown(async () => {
      closed += 1;
    });
    expect(shutdown.isDraining).toBe(false);
    const drained = shutdown.drain(5_000);
    await vi.advanceTimersByTimeAsync(4_999);
    expect([shutdown.isDraining, closed]).toEqual([true, 0]);
    await vi.advanceTimersByTimeAsync(1);
    await drained;
    await shutdown.close();
    await shutdown.drain(5_000);
    expect(closed).toBe(1);
  } finally {
    vi.useRealTimers();
  }
});

it('closing ends the wait of a shutdown', async () => {
  let closed = 0;
  const shutdown = new Shutdown(async () => {
    closed += 1;
  });
  const drained = shutdown.drain(3_600_000);
  await shutdown.close();
  await drained;
  expect([shutdown.isDraining, closed]).toEqual([true, 1]);
});
