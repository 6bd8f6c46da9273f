import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RestartBudget } from '../../gateway/plan/restart-budget.js';

function budget(costMs: number): { readonly restarts: RestartBudget; readonly clock: { now: number } } {
  const clock = { now: 0 };
  const restarts = new RestartBudget({ monotonic: () => clock.now });
  restarts.note(costMs);
  return { restarts, clock };
}

describe('planners that are stopped repeatedly', () => {
  it('are replaced three times at once, then as their processor share allows', () => {
    const { restarts, clock } = budget(200);
    expect([restarts.take(), restarts.take(), restarts.take()]).toEqual([0, 0, 0]);
    // Three times 200 ms are a fifth of 3,000 ms.
    expect(restarts.take()).toBe(3_000);
    clock.now = 2_999;
    expect(restarts.take()).toBe(1);
    clock.now = 3_000;
    expect(restarts.take()).toBe(0);
  });

  it('wait longer for a more expensive supergraph', () => {
    const { restarts } = budget(1_500);
    for (let time = 0; time < 3; time += 1) restarts.take();
    expect(restarts.take()).toBe(22_500);
  });

  it('use at most a fifth of a processor after the first three', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5_000 }),
        fc.array(fc.nat(10_000), { maxLength: 200 }),
        (costMs, pauses) => {
          const { restarts, clock } = budget(costMs);
          let made = 0;
          for (const pause of pauses) {
            clock.now += pause;
            if (restarts.take() === 0) made += 1;
            expect((made - 3) * costMs).toBeLessThanOrEqual(clock.now * 0.2 + 0.001);
          }
        },
      ),
    );
  });
});
