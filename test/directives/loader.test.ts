import { defineLoader } from '@behalf/directives';
import { expect, it } from 'vitest';

it('a loader belongs to one request: no caller gets rows out of the cache of another', async () => {
  const batches: (readonly [string, readonly number[]])[] = [];
  const loaderOf = defineLoader(async (keys: readonly number[], { caller }: { caller: string }) => {
    batches.push([caller, keys]);
    return keys.map((key) => `${caller} ${key}`);
  });
  const [alma, noor] = [{ caller: 'alma' }, { caller: 'noor' }];
  const load = (context: { caller: string }, key: number): Promise<string> => loaderOf(context).load(key);
  expect(await Promise.all([load(alma, 1), load(alma, 2), load(alma, 1), load(noor, 1)])).toEqual([
    'alma 1',
    'alma 2',
    'alma 1',
    'noor 1',
  ]);
  expect(await load(alma, 2)).toBe('alma 2');
  expect(batches).toEqual([
    ['alma', [1, 2]],
    ['noor', [1]],
  ]);
  expect(loaderOf(alma)).toBe(loaderOf(alma));
});

it('a loader takes the options of DataLoader', async () => {
  let batches = 0;
  const loaderOf = defineLoader(
    async (keys: readonly number[], _context: object) => {
      batches += 1;
      return keys;
    },
    { cache: false },
  );
  const context = {};
  await loaderOf(context).load(1);
  await loaderOf(context).load(1);
  expect(batches).toBe(2);
});
