import { expect, it } from 'vitest';
import { fieldContenders, ROWS } from '../../bench/subgraph/contenders.js';

it('all contenders of the subgraph benchmark answer alike; protected ones deny', async () => {
  const [bare, ...others] = await fieldContenders();
  const expected = JSON.stringify((await bare?.execute(true))?.data);
  expect((JSON.parse(expected) as { rows: object[] }).rows).toHaveLength(ROWS);
  for (const contender of others) {
    const granted = await contender.execute(true);
    expect(granted.errors, contender.name).toBeUndefined();
    expect(JSON.stringify(granted.data), contender.name).toBe(expected);
    const { data, errors } = await contender.execute(false);
    const isOpen = /no protection|, allow/.test(contender.name);
    expect((errors?.length ?? 0) > 0, contender.name).toBe(!isOpen);
    if (isOpen) continue;
    // Each contender shapes denied data differently, but none contains a value.
    expect(JSON.stringify(data ?? null), contender.name).not.toContain(' of ');
  }
});
