import { describe, expect, it } from 'vitest';
import { IssueTimes } from '../../authority/oidc/issue-times.js';

/** The `exp` of a token that was issued at 1,000 s for 300 s, which oidc-provider lets end at 1,301 s, as it began to count late. */
function endOf(consent: unknown, notAfterSeconds = Infinity): unknown {
  const times = new IssueTimes();
  const token = {};
  times.set(token, new Date(1_000_900));
  const claims: { exp: number; iat?: number; consent: unknown } = { exp: 1_301, consent };
  times.stamp(token, 300, claims, notAfterSeconds);
  expect(claims.iat).toBe(1_000);
  return claims.exp;
}

describe('a token ends', () => {
  it('not later than its lifetime, counted from its issue', () => {
    expect(endOf(undefined)).toBe(1_300);
  });

  it('not later than its consent, to the second', () => {
    expect(endOf({ until: 1_299 })).toBe(1_299);
    expect(endOf({ until: 2_000 })).toBe(1_300);
  });

  it('RFC 8693: not later than the token that it was exchanged for, to the second', () => {
    expect(endOf({ until: 2_000 }, 1_298)).toBe(1_298);
  });

  it('without a time of issue not at all: it is refused', () => {
    expect(() => new IssueTimes().stamp({}, 300, { exp: 1_300 }, Infinity)).toThrow('invalid_grant');
  });
});
