import { describe, expect, it } from 'vitest';
import { equalSecrets } from '../../http/index.js';

describe('equalSecrets', () => {
  it('is true for the same secret', () => {
    expect(equalSecrets('correct horse', 'correct horse')).toBe(true);
  });

  it.each([
    ['another secret', 'correct house'],
    ['a prefix', 'correct'],
    ['a longer text', 'correct horse battery'],
    ['nothing', ''],
  ])('is false for %s, and does not throw', (_case, other) => {
    expect(equalSecrets('correct horse', other)).toBe(false);
  });
});
