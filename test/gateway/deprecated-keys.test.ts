import { expect, it } from 'vitest';
import { deprecatedKeys } from '../../gateway/config/deprecated-keys.js';
import schema from '../../gateway/options/schema.json' with { type: 'json' };

const made = {
  properties: {
    old: { deprecated: true, description: 'Use `fresh` instead. Removed in 0.3.' },
    fresh: {},
    issuers: {
      items: {
        properties: { keys: { deprecated: true, description: 'Use `jwksUri` instead.' }, issuer: {} },
      },
    },
  },
};

it('finds deprecated keys at any depth, with their replacements', () => {
  expect(deprecatedKeys(made, { fresh: 1, issuers: [{ issuer: 'a' }] })).toEqual([]);
  expect(deprecatedKeys(made, { old: 1, issuers: [{ issuer: 'a' }, { issuer: 'b', keys: [] }] })).toEqual([
    { key: 'old', advice: 'Use `fresh` instead. Removed in 0.3.' },
    { key: 'issuers[1].keys', advice: 'Use `jwksUri` instead.' },
  ]);
  // Names that every object inherits.
  expect(deprecatedKeys(made, { constructor: {}, toString: 1 })).toEqual([]);
});

it('every deprecation of the configuration names its replacement and end', () => {
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const { deprecated, description } = node as { deprecated?: boolean; description?: string };
    if (deprecated === true) expect(description).toMatch(/instead.*Removed in \d+\.\d+/s);
    Object.values(node).forEach(walk);
  };
  walk(schema);
});
