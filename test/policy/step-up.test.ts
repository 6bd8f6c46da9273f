import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkPolicy } from '../../policy/index.js';
import { stepUpOf, strictest, suffices } from '../../policy/internal.js';

const scope = (access: string, sensitivity: string) => ({ sentence: 'See it', access, sensitivity });
const FILE = {
  scopes: {
    look: scope('read', 'sensitive'),
    pay: scope('write', 'sensitive'),
    name: scope('read', 'personal'),
    open: scope('read', 'low'),
  },
  stepUp: {
    personal: { acrValues: ['two', 'one'] },
    sensitive: { access: 'write', acrValues: ['two'], maxAge: 'PT15M' },
  },
};

describe('the required sign-in', () => {
  const policy = checkPolicy(FILE);

  it('depends on the scope’s sensitivity, and on its access if named', () => {
    expect(stepUpOf(policy, 'pay')).toEqual({ access: 'write', acrValues: ['two'], maxAgeSeconds: 900 });
    expect(stepUpOf(policy, 'name')).toEqual({ acrValues: ['two', 'one'] });
    for (const name of ['look', 'open', 'unknown', '__proto__'])
      expect(stepUpOf(policy, name)).toBeUndefined();
  });

  it.each<[string, object, string]>([
    ['nothing at all', { low: {} }, 'stepUp.low'],
    ['an unknown key', { low: { maxAge: 'PT1M', amr: [] } }, 'stepUp.low.amr'],
    ['an unknown sensitivity', { high: { maxAge: 'PT1M' } }, 'stepUp.high'],
    ['no duration', { low: { maxAge: '15 minutes' } }, 'stepUp.low.maxAge'],
    ['no value', { low: { acrValues: [] } }, 'stepUp.low.acrValues'],
    [
      'a value that would end the header',
      { low: { acrValues: ['a", error="x'] } },
      'stepUp.low.acrValues[0]',
    ],
    [
      'ways to sign in that exclude each other',
      { low: { acrValues: ['a'] }, personal: { maxAge: 'PT1M' }, sensitive: { acrValues: ['b'] } },
      'stepUp.sensitive.acrValues',
    ],
  ])('refuses %s, with the path', (_what, stepUp, path) => {
    expect(() => checkPolicy({ ...FILE, stepUp })).toThrow(expect.objectContaining({ path }));
  });

  it('is not met by claims that the token lacks', () => {
    expect(suffices({}, { acrValues: ['two'] }, 0)).toBe(false);
    expect(suffices({}, { maxAgeSeconds: 900 }, 0)).toBe(false);
    expect(suffices({ authTime: 100 }, { maxAgeSeconds: 900 }, 1_000)).toBe(true);
    expect(suffices({ authTime: 100 }, { maxAgeSeconds: 900 }, 1_000.001)).toBe(false);
    expect(suffices({ authTime: Number.NaN }, { maxAgeSeconds: 900 }, 0)).toBe(false);
  });
});

const demands = fc.record(
  {
    acrValues: fc.subarray(['a', 'b', 'c'], { minLength: 1 }).map((values) => [...values, 'all']),
    maxAgeSeconds: fc.nat(10),
  },
  { requiredKeys: [] },
);

it('the strictest requirement is met exactly by sign-ins that meet all', () => {
  const signIns = fc.record(
    { acr: fc.constantFrom('a', 'b', 'c', 'all'), authTime: fc.nat(10) },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.array(demands, { maxLength: 3 }), signIns, fc.nat(20), (all, signIn, now) => {
      expect(suffices(signIn, strictest(all), now)).toBe(all.every((one) => suffices(signIn, one, now)));
    }),
    { numRuns: 2_000 },
  );
});
