import { expect, it } from 'vitest';
import { Readiness } from '../../http/readiness.js';
import { Shutdown } from '../../http/shutdown.js';
import { ManualClock } from '../support/manual-clock.js';

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
  const clock = new ManualClock();
  const problems = new Readiness({ HANGS: never, PASSES: () => true }, clock).problems();
  await clock.advance(2_000);
  expect(await problems).toEqual(['HANGS']);
});

it('checks once a second, however often it is asked', async () => {
  const clock = new ManualClock();
  let isUp = false;
  let checks = 0;
  const check = (): boolean => {
    checks += 1;
    return isUp;
  };
  const readiness = new Readiness({ DOWN: check }, clock);
  await Promise.all([readiness.problems(), readiness.problems()]);
  isUp = true;
  await clock.advance(999);
  expect(await readiness.problems()).toEqual(['DOWN']);
  expect(checks).toBe(1);
  await clock.advance(1);
  expect(await readiness.problems()).toEqual([]);
  expect(checks).toBe(2);
});

it('a shutdown is first draining, then closed once', async () => {
  const clock = new ManualClock();
  let closed = 0;
  const shutdown = new Shutdown(async () => {
    closed += 1;
  }, clock);
  expect(shutdown.isDraining).toBe(false);
  const drained = shutdown.drain(5_000);
  await clock.advance(4_999);
  expect([shutdown.isDraining, closed]).toEqual([true, 0]);
  await clock.advance(1);
  await drained;
  await shutdown.close();
  await shutdown.drain(5_000);
  expect(closed).toBe(1);
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
