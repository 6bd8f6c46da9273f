import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkPolicy } from '../../policy/index.js';
import { ceilingOf, applyCeiling, longestConsentSeconds, mayGrant } from '../../policy/internal.js';

const NAMES = ['a', 'b', 'c', 'd', '__proto__', 'toString', '*'] as const;
const names = fc.uniqueArray(fc.constantFrom(...NAMES));
const days = fc.constantFrom('2025-12-31', '2026-01-01', '2026-01-02', '2026-01-03');

const policies = fc
  .record({
    known: fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1 }),
    purposes: names,
    until: fc.dictionary(fc.constantFrom(...NAMES), days),
    clients: fc.uniqueArray(
      fc.record({ clientId: fc.constantFrom('app', 'other', '*'), scopes: names, purposes: names }),
      { selector: ({ clientId }) => clientId },
    ),
  })
  .map(({ known, purposes, until, clients }) => {
    const entry = { sentence: 'See it', access: 'read', sensitivity: 'low' };
    const within = (wanted: readonly string[], all: readonly string[]) =>
      wanted.filter((name) => all.includes(name));
    return checkPolicy({
      scopes: Object.fromEntries(
        known.map((name) => {
          const end = new Map(Object.entries(until)).get(name);
          return [
            name,
            end === undefined ? entry : { ...entry, deprecated: { since: '2025-01-01', until: end } },
          ];
        }),
      ),
      purposes: Object.fromEntries(purposes.map((name) => [name, { sentence: 'To see' }])),
      clients: Object.fromEntries(
        clients.map(({ clientId, ...client }) => [
          clientId,
          { scopes: within(client.scopes, known), purposes: within(client.purposes, purposes) },
        ]),
      ),
    });
  });

describe('applying a ceiling', () => {
  it('never adds anything, never exceeds the ceiling, and is idempotent', () => {
    fc.assert(
      fc.property(
        policies,
        fc.constantFrom('app', 'other', 'stranger', '__proto__'),
        names,
        names,
        days,
        (policy, clientId, scopes, purposes, day) => {
          const left = applyCeiling(policy, clientId, { scopes, purposes }, day);
          const ceiling = ceilingOf(policy, clientId);
          for (const name of left.scopes) {
            expect(scopes).toContain(name);
            const until = policy.scopes.get(name)?.deprecated?.until;
            expect(policy.scopes.has(name) && (until === undefined || until >= day)).toBe(true);
            if (ceiling.kind === 'client') expect(ceiling.client.scopes).toContain(name);
          }
          for (const name of left.purposes) {
            expect(purposes).toContain(name);
            if (ceiling.kind === 'client') expect(ceiling.client.purposes).toContain(name);
          }
          if (ceiling.kind === 'nothing') expect(left).toEqual({ scopes: [], purposes: [] });
          expect(applyCeiling(policy, clientId, left, day)).toEqual(left);
          // Each name is honoured independently: holding more removes nothing.
          const all = applyCeiling(policy, clientId, { scopes: NAMES, purposes: NAMES }, day);
          expect(left.scopes).toEqual(scopes.filter((name) => all.scopes.includes(name)));
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

const scope = (sensitivity: string, more: object = {}) => ({
  sentence: 'See it',
  access: 'read',
  sensitivity,
  ...more,
});
const POLICY = checkPolicy({
  scopes: { low: scope('low'), own: scope('personal'), deep: scope('sensitive'), free: scope('low') },
  roles: { chief: { mayGrant: ['deep'] }, deputy: { mayGrant: ['deep', 'own'] } },
  clients: { app: { scopes: ['low', 'own', 'deep'], longestConsent: 'P20D' }, '*': { scopes: ['low'] } },
  longestConsent: { personal: 'P30D', sensitive: 'P10D' },
});

describe('a client', () => {
  it('without an entry gets the entry of *', () => {
    expect(
      applyCeiling(POLICY, 'stranger', { scopes: ['low', 'own'], purposes: [] }, '2026-01-01').scopes,
    ).toEqual(['low']);
  });

  it('gets only its own entry, not the one of * as well', () => {
    expect(
      applyCeiling(POLICY, 'app', { scopes: ['low', 'free'], purposes: [] }, '2026-01-01').scopes,
    ).toEqual(['low']);
  });
});

describe('a scope that is reserved to roles', () => {
  it.each<[string, string[], boolean]>([
    ['deep', [], false],
    ['deep', ['constructor'], false],
    ['deep', ['chief'], true],
    ['own', ['chief'], false],
    ['own', ['deputy'], true],
    ['low', [], true],
    ['unheard-of', ['chief'], false],
  ])('%s with the roles %j: %s', (name, roles, may) => {
    expect(mayGrant(POLICY, roles, name)).toBe(may);
  });
});

describe('the longest consent', () => {
  const DAY = 86_400;
  it.each<[string, string[], number]>([
    ['app', ['low'], 20 * DAY],
    ['app', ['low', 'own'], 20 * DAY],
    ['app', ['low', 'deep'], 10 * DAY],
    ['stranger', ['low'], Number.POSITIVE_INFINITY],
    ['app', ['unheard-of'], 0],
  ])('to %s over %j is %s seconds', (clientId, scopes, seconds) => {
    expect(longestConsentSeconds(POLICY, clientId, scopes)).toBe(seconds);
  });
});
