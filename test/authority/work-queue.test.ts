import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { BusyError, WorkQueue } from '../../authority/http/work-queue.js';

/** Work that ends when the test says so. */
function pieces(queue: WorkQueue) {
  const open: (() => void)[] = [];
  let running = 0;
  let most = 0;
  const start = (key: string) =>
    queue.run(key, async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise<void>((resolve) => open.push(resolve));
      running -= 1;
      return key;
    });
  return { open, start, most: () => most };
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('work that costs memory and time, such as Argon2', () => {
  it('runs with bounded concurrency, and all accepted work runs', async () => {
    const step = fc.record({ key: fc.constantFrom('a', 'b', 'c'), fails: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const limits = { atOnce: 2, waiting: 5, perKey: 3 };
        const queue = new WorkQueue(limits);
        let running = 0;
        let started = 0;
        const results = await Promise.allSettled(
          steps.map(({ fails, key }) =>
            queue.run(key, async () => {
              started += 1;
              running += 1;
              expect(running).toBeLessThanOrEqual(limits.atOnce);
              await turn();
              running -= 1;
              if (fails) throw new Error('failed');
            }),
          ),
        );
        const refused = results.filter(({ status, ...rest }) => status === 'rejected' && isBusy(rest));
        expect(started + refused.length).toBe(steps.length);
        expect(started).toBeLessThanOrEqual(limits.atOnce + limits.waiting);
        // No slot leaks: as much as before is accepted again.
        const again = ['a', 'a', 'a', 'b', 'b', 'b', 'c'].map((key) => queue.run(key, turn));
        await expect(Promise.all(again)).resolves.toHaveLength(7);
      }),
      { numRuns: 50 },
    );
  });

  it('is refused if too much waits, and one client cannot fill the queue', async () => {
    const queue = new WorkQueue({ atOnce: 1, waiting: 3, perKey: 2 });
    const { most, open, start } = pieces(queue);
    const taken = [start('a'), start('a')];
    await expect(start('a')).rejects.toBeInstanceOf(BusyError);
    taken.push(start('b'), start('c'));
    await expect(start('d')).rejects.toBeInstanceOf(BusyError);
    for (let done = 0; done < 4; done++) {
      await turn();
      expect(open).toHaveLength(1);
      open.pop()?.();
    }
    expect(await Promise.all(taken)).toEqual(['a', 'a', 'b', 'c']);
    expect(most()).toBe(1);
  });
});

function isBusy(rest: object): boolean {
  return 'reason' in rest && rest.reason instanceof BusyError;
}
