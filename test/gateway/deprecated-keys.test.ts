import { expect, it } from 'vitest';
import { deprecatedKeys } from '../../gateway/config/deprecated-keys.js';
import schema from '../../gateway/config/schema.json' with { type: 'json' };

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

it('finds the keys that the schema deprecates, at any depth, with what replaces them', () => {
  expect(deprecatedKeys(made, { fresh: 1, issuers: [{ issuer: 'a' }] })).toEqual([]);
  expect(deprecatedKeys(made, { old: 1, issuers: [{ issuer: 'a' }, { issuer: 'b', keys: [] }] })).toEqual([
    { key: 'old', advice: 'Use `fresh` instead. Removed in 0.3.' },
    { key: 'issuers[1].keys', advice: 'Use `jwksUri` instead.' },
  ]);
  // Names that every object has.
  expect(deprecatedKeys(made, { constructor: {}, toString: 1 })).toEqual([]);
});

it('whatever the configuration deprecates says what to use instead, and until when', () => {
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const { deprecated, description } = node as { deprecated?: boolean; description?: string };
    if (deprecated === true) expect(description).toMatch(/instead.*Removed in \d+\.\d+/s);
    Object.values(node).forEach(walk);
  };
  walk(schema);
});
