import { describe, expect, it } from 'vitest';
import type { Recorder } from '../../../gateway/seal/recorder.js';
import { seal } from '../../../gateway/steps/seal.js';
import { executed, standIn } from './support.js';

function recorder(sealed: unknown[][], failure?: Error): Recorder {
  return standIn<Recorder>({
    seal: async (...args: unknown[]) => {
      sealed.push(args);
      if (failure !== undefined) throw failure;
    },
  });
}

describe('seal', () => {
  it.each([
    ['answered', { data: {} }, undefined],
    ['answered', { data: null, errors: [] }, undefined],
    ['failed', { errors: [] }, 'INTERNAL_SERVER_ERROR'],
  ])('records an operation as %s: %j', async (outcome, answer, reason) => {
    const sealed: unknown[][] = [];
    const completed = { ...executed({}), answer };
    expect(await seal(completed, recorder(sealed))).toBe(answer);
    expect(sealed).toEqual([[completed, outcome, reason]]);
  });

  it('gives no answer that cannot be recorded', async () => {
    const failure = new Error('not durable');
    const completed = { ...executed({}), answer: { data: {} } };
    await expect(seal(completed, recorder([], failure))).rejects.toBe(failure);
  });
});
