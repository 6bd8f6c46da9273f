import fc from 'fast-check';
import { hasLevels } from '../../authority/consent/levels.js';
import { describe, expect, it } from 'vitest';

import { exchangeTerms } from '../../authority/oidc/exchange-terms.js';
import { ACCESS_TOKEN_SECONDS } from '../../authority/oidc/lifetimes.js';
import type { OwnToken } from '../../authority/oidc/own-token.js';
import { checkPolicy } from '../../policy/index.js';
import { AUDIENCE, POLICY_FILE } from './setup.js';

const SCOPES = Object.keys(POLICY_FILE.scopes);
const PURPOSES = Object.keys(POLICY_FILE.purposes);
const CLIENTS = ['app', 'one', 'two', 'three', 'four'];
const NOW = new Date('2026-11-24T12:00:00Z');
const NOW_SECONDS = NOW.getTime() / 1000;

const detail = fc.constantFrom('full' as const, 'minimal' as const);
const names = <Name>(all: readonly Name[]) => fc.subarray([...all]);
const later = fc.integer({ min: 1, max: 1_000 }).map((seconds) => NOW_SECONDS + seconds);

const policies = fc
  .record(
    Object.fromEntries(
      CLIENTS.map((id) => [
        id,
        fc.record({ scopes: fc.subarray(SCOPES, { minLength: 3 }), purposes: names(PURPOSES) }),
      ]),
    ),
  )
  .map((clients) => checkPolicy({ ...POLICY_FILE, clients: structuredClone({ ...clients }) }));

/** As they are stored: each with those before it. */
const levels = fc.dictionary(
  fc.constantFrom('location', 'Customer.city'),
  fc.constantFrom(['city'], ['city', 'country']),
);

const access = fc.record({
  type: fc.constant('behalf_access' as const),
  locations: fc.constant([AUDIENCE]),
  scopes: names(SCOPES),
  purposes: names(PURPOSES),
  detail,
  levels,
  until: later,
});

const tokens: fc.Arbitrary<OwnToken> = fc.record({
  tokenId: fc.constant('t'),
  subject: fc.constant('alma'),
  clientId: fc.constant('app'),
  actors: names(['one', 'two', 'three']),
  scopes: names(SCOPES),
  issuedAtSeconds: fc.constant(NOW_SECONDS - 10),
  expiresAtSeconds: later,
  consent: fc.option(
    fc.record({
      id: fc.constant('c'),
      version: fc.nat(),
      purposes: names(PURPOSES),
      detail,
      levels,
      until: later,
    }),
    { nil: undefined, freq: 10 },
  ),
  access: fc.option(access, { nil: undefined }),
  isSenderConstrained: fc.boolean(),
  payload: fc.constant({ aud: AUDIENCE }),
});

const asked = fc.record(
  {
    type: fc.constant('behalf_access' as const),
    scopes: fc.subarray(SCOPES, { minLength: 1, maxLength: 2 }),
    purposes: fc.subarray(PURPOSES, { minLength: 1 }),
    detail,
    levels,
    until: later,
  },
  { requiredKeys: ['type'] },
);

const requests = fc.record({
  token: tokens,
  actor: fc.constantFrom('one', 'four'),
  right: fc.record({ from: fc.constant(CLIENTS.slice(0, 4)), depth: fc.integer({ min: 1, max: 4 }) }),
  scopes: fc.option(fc.subarray(SCOPES, { minLength: 1, maxLength: 2 }), { nil: undefined, freq: 1 }),
  access: fc.option(asked, { nil: undefined, freq: 1 }),
  policy: policies,
  now: fc.constant(NOW),
});

function depthOf(act: { readonly act?: object } | undefined): number {
  return act === undefined ? 0 : 1 + depthOf(act.act);
}

describe('RFC 8693: what an exchange grants', () => {
  it('never exceeds subject token, actor’s ceiling or request', () => {
    let granted = 0;
    fc.assert(
      fc.property(requests, (request) => {
        const terms = exchangeTerms(request);
        if (terms.kind === 'refused') return;
        granted++;
        const { token } = request;
        const ceiling = request.policy.clients.get(request.actor);
        expect(terms.scopes.length).toBeGreaterThan(0);
        for (const scope of terms.scopes) {
          expect(token.scopes).toContain(scope);
          expect(ceiling?.scopes).toContain(scope);
          if (request.scopes !== undefined) expect(request.scopes).toContain(scope);
          if (request.access?.scopes !== undefined) expect(request.access.scopes).toContain(scope);
        }
        for (const purpose of terms.consent.purposes) {
          expect(token.consent?.purposes).toContain(purpose);
          expect(ceiling?.purposes).toContain(purpose);
        }
        expect(terms.consent.until).toBeLessThanOrEqual(token.consent?.until ?? 0);
        const tightenings = [token.consent?.levels, token.access?.levels, request.access?.levels];
        for (const each of request.access === undefined ? tightenings.slice(0, 1) : tightenings)
          expect(hasLevels(terms.consent.levels ?? {}, each ?? {})).toBe(true);
        if (token.access !== undefined && terms.access !== undefined)
          expect(hasLevels(terms.access.levels, token.access.levels)).toBe(true);
        if (token.consent?.detail === 'minimal') expect(terms.consent.detail).toBe('minimal');
        expect(terms.expiresAtSeconds).toBeLessThanOrEqual(
          Math.min(token.expiresAtSeconds, terms.consent.until, NOW_SECONDS + ACCESS_TOKEN_SECONDS),
        );
        expect(depthOf(terms.act)).toBe(token.actors.length + 1);
        expect(depthOf(terms.act)).toBeLessThanOrEqual(request.right.depth);
        expect(terms.act.sub).toBe(request.actor);
        for (const scope of terms.access?.scopes ?? []) expect(terms.scopes).toContain(scope);
        if (token.access !== undefined) {
          expect(token.access.scopes).toEqual(expect.arrayContaining([...(terms.access?.scopes ?? [])]));
          expect(terms.access?.until ?? 0).toBeLessThanOrEqual(token.access.until);
        }
      }),
      { numRuns: 2_000 },
    );
    expect(granted).toBeGreaterThan(50);
  });

  it('is refused unless every client of the token is listed', () => {
    fc.assert(
      fc.property(requests, fc.subarray(CLIENTS), (request, from) => {
        const terms = exchangeTerms({ ...request, right: { ...request.right, from } });
        const holders = [request.token.clientId, ...request.token.actors];
        if (!holders.every((id) => from.includes(id))) expect(terms.kind).toBe('refused');
      }),
    );
  });
});
