import { expect, it } from 'vitest';
import { quantity } from '../../cli/quantity.js';

it.each([
  [0, '0 entries'],
  [1, '1 entry'],
  [2, '2 entries'],
])('%i of several things: %s', (count, words) => {
  expect(quantity(count, 'entry', 'entries')).toBe(words);
});

it('adds an s', () => {
  expect([0, 1, 2].map((count) => quantity(count, 'error'))).toEqual(['0 errors', '1 error', '2 errors']);
});
