import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AuthenticatedToken } from '../../gateway/authenticate/token.js';
import { RevocationView } from '../../revocation/view.js';
import type { RevokedSubject } from '../../revocation/view.js';
import { ISSUER, LIFETIME_SECONDS, token } from './transmitter.js';

function makeView(options: { maxEntries?: number; issuers?: string[] } = {}) {
  const clock = { ms: 1_800_000_000_000 };
  const view = new RevocationView({
    issuers: [ISSUER],
    maxStalenessMs: 1_000,
    maxTokenLifetimeSeconds: LIFETIME_SECONDS,
    now: () => clock.ms,
    ...options,
  });
  return { view, clock, seconds: () => Math.floor(clock.ms / 1000) };
}

describe('RevocationView', () => {
  it('starts stale, and becomes stale again', () => {
    const { view, clock } = makeView();
    expect(view.isFresh()).toBe(false);
    view.markComplete(ISSUER, clock.ms);
    clock.ms += 1_000;
    expect(view.isFresh()).toBe(true);
    clock.ms += 1;
    expect(view.isFresh()).toBe(false);
    // A slow answer makes it neither younger nor older than it is.
    view.markComplete(ISSUER, clock.ms - 5_000);
    expect(view.isFresh()).toBe(false);
  });

  it('is not made fresh for one issuer by another’s announcement', () => {
    const { view, clock } = makeView({ issuers: [ISSUER, 'https://b.example'] });
    view.markComplete(ISSUER, clock.ms);
    expect(view.isFresh(ISSUER)).toBe(true);
    expect(view.isFresh('https://b.example')).toBe(false);
    expect(view.isFresh()).toBe(false);
    expect(view.isFresh('https://announces-nothing.example')).toBe(true);
  });

  it('ends only tokens of the announcing issuer', () => {
    const { view, seconds } = makeView();
    view.revoke({ issuer: ISSUER, consentId: 'x' }, seconds());
    expect(view.isRevoked(token({ consentId: 'x', issuedAt: seconds() }))).toBe(true);
    expect(view.isRevoked(token({ issuer: 'https://b.example', consentId: 'x', issuedAt: seconds() }))).toBe(
      false,
    );
  });

  it('rounds an event within a second up to the next', () => {
    const { view, seconds } = makeView();
    const at = seconds();
    view.revoke({ issuer: ISSUER, clientId: 'app' }, at + 0.001);
    // Issuers may round the time of issue up to the next second.
    expect(view.isRevoked(token({ clientId: 'app', issuedAt: at + 1 }))).toBe(true);
    expect(view.isRevoked(token({ clientId: 'app', issuedAt: at + 2 }))).toBe(false);
  });

  it('ends a consent forever, a client and subject up to the event', () => {
    const { view, seconds } = makeView();
    const at = seconds();
    view.revoke({ issuer: ISSUER, consentId: 'x' }, at);
    view.revoke({ issuer: ISSUER, clientId: 'app' }, at);
    view.revoke({ issuer: ISSUER, subject: 'alma' }, at);
    expect(view.isRevoked(token({ consentId: 'x', issuedAt: at + 100 }))).toBe(true);
    for (const who of [{ clientId: 'app' }, { subject: 'alma' }]) {
      expect(view.isRevoked(token({ ...who, issuedAt: at }))).toBe(true);
      expect(view.isRevoked(token({ ...who, issuedAt: at + 1 }))).toBe(false);
    }
    expect(view.isRevoked(token({ issuedAt: at }))).toBe(false);
  });

  it('does not revive by an older event what a newer one ended', () => {
    const { view, seconds } = makeView();
    view.revoke({ issuer: ISSUER, subject: 'alma' }, seconds());
    view.revoke({ issuer: ISSUER, subject: 'alma' }, seconds() - 100);
    expect(view.isRevoked(token({ subject: 'alma', issuedAt: seconds() - 50 }))).toBe(true);
  });

  it('keeps names apart that resemble others’ keys', () => {
    const { view, seconds } = makeView();
    view.revoke({ issuer: ISSUER, subject: 'a","b' }, seconds());
    view.revoke({ issuer: ISSUER, clientId: 'null' }, seconds());
    expect(view.isRevoked(token({ subject: 'a', clientId: 'b', issuedAt: seconds() }))).toBe(false);
    expect(view.isRevoked(token({ subject: 'null', issuedAt: seconds() }))).toBe(false);
  });

  it('refuses an event without a name', () => {
    const { view, seconds } = makeView();
    expect(() => view.revoke({ issuer: ISSUER }, seconds())).toThrow();
  });

  it('reports being full, keeps what it has, and recovers', () => {
    const { view, clock, seconds } = makeView({ maxEntries: 2 });
    expect(view.revoke({ issuer: ISSUER, consentId: '1' }, seconds())).toBe(true);
    expect(view.revoke({ issuer: ISSUER, consentId: '2' }, seconds())).toBe(true);
    expect(view.revoke({ issuer: ISSUER, consentId: '3' }, seconds())).toBe(false);
    expect(view.revoke({ issuer: ISSUER, consentId: '1' }, seconds())).toBe(true);
    for (const consentId of ['1', '2']) {
      expect(view.isRevoked(token({ consentId, issuedAt: seconds() }))).toBe(true);
    }
    expect(view.size).toBe(2);
    clock.ms += (LIFETIME_SECONDS + 61) * 1000;
    expect(view.revoke({ issuer: ISSUER, consentId: '3' }, seconds())).toBe(true);
    expect(view.size).toBe(1);
  });

  it('ends tokens and sessions forever, and one client’s part of a session alone', () => {
    const { view, seconds } = makeView();
    const later = { issuedAt: seconds() + 100 };
    view.revoke({ issuer: ISSUER, tokenId: 't' }, seconds());
    view.revoke({ issuer: ISSUER, sessionId: 's1', subject: 'alma' }, seconds());
    view.revoke({ issuer: ISSUER, sessionId: 's2', clientId: 'app' }, seconds());
    expect(view.isRevoked(token({ tokenId: 't', ...later }))).toBe(true);
    expect(view.isRevoked(token({ tokenId: 'other', ...later }))).toBe(false);
    expect(view.isRevoked(token({ sessionId: 's1', ...later }))).toBe(true);
    expect(view.isRevoked(token({ sessionId: 's2', clientId: 'app', ...later }))).toBe(true);
    expect(view.isRevoked(token({ sessionId: 's2', clientId: 'other', ...later }))).toBe(false);
    // Identifiers of different kinds are independent.
    expect(view.isRevoked(token({ consentId: 't', sessionId: 't', ...later }))).toBe(false);
  });

  it('ends an exchanged token with any acting client (RFC 8693 section 4.1)', () => {
    const { view, seconds } = makeView();
    const actor = { sub: 'outer', act: { sub: 'inner' } };
    const exchanged = { actor, sessionId: 's', issuedAt: seconds() };
    expect(view.isRevoked(token(exchanged))).toBe(false);
    for (const what of [
      { clientId: 'inner' },
      { clientId: 'outer' },
      { clientId: 'inner', subject: 's' },
      { clientId: 'outer', sessionId: 's' },
    ]) {
      const other = makeView();
      other.view.revoke({ issuer: ISSUER, ...what }, seconds());
      expect(other.view.isRevoked(token(exchanged))).toBe(true);
      expect(other.view.isRevoked(token({ ...exchanged, actor: undefined }))).toBe(false);
    }
  });

  it('takes under 64 bytes per revocation at 200,000, and frees memory', () => {
    const { view, clock, seconds } = makeView();
    const count = 200_000;
    let kept = 0;
    for (let each = 0; each < count; each++) {
      if (view.revoke({ issuer: ISSUER, consentId: `consent-${each}` }, seconds())) kept += 1;
    }
    expect(kept).toBe(count);
    expect(view.size).toBe(count);
    expect(view.bytes / count).toBeLessThan(64);
    const isRevoked = (each: number): boolean =>
      view.isRevoked(token({ consentId: `consent-${each}`, issuedAt: seconds() }));
    for (let each = 0; each < count; each += 97) expect(isRevoked(each)).toBe(true);
    for (let each = count; each < count + 1_000; each++) expect(isRevoked(each)).toBe(false);
    clock.ms += (LIFETIME_SECONDS + 61) * 1000;
    view.markComplete(ISSUER, clock.ms);
    expect(view.size).toBe(0);
    expect(view.bytes).toBeLessThan(10_000);
  });

  it('equals a naive list of events for every unexpired token (property)', () => {
    const names = fc.constantFrom('a', 'b', 'c');
    const event = fc.record(
      {
        subject: names,
        clientId: names,
        consentId: names,
        sessionId: names,
        tokenId: names,
        offset: fc.integer({ min: -500, max: 100_000 }),
      },
      { requiredKeys: ['offset'] },
    );
    const step = fc.oneof(
      // As a transmitter makes them: a unique identifier, or one whose tokens end.
      event.filter(({ consentId, sessionId, tokenId, ...made }) => {
        const own = [consentId, sessionId, tokenId].filter((each) => each !== undefined).length;
        return own === 1 || (own === 0 && (made.subject ?? made.clientId) !== undefined);
      }),
      fc.record({ waitSeconds: fc.integer({ min: 0, max: 700 }) }),
      fc.record({
        token: fc.record({
          subject: names,
          clientId: names,
          actor: fc.option(
            names.map((sub) => ({ sub })),
            { nil: undefined },
          ),
          consentId: fc.option(names, { nil: undefined }),
          sessionId: fc.option(names, { nil: undefined }),
          tokenId: fc.option(names, { nil: undefined }),
          lifetimeSeconds: fc.integer({ min: 1, max: LIFETIME_SECONDS }),
        }),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 4 }), (steps, manifold) => {
        const { view, clock, seconds } = makeView();
        const events: { what: RevokedSubject; at: number; learntAt: number }[] = [];
        const tokens: AuthenticatedToken[] = [];
        for (const each of steps) {
          if ('waitSeconds' in each) clock.ms += each.waitSeconds * 1000;
          else if ('token' in each) tokens.push(token({ ...each.token, issuedAt: seconds() }));
          else {
            const { offset, ...members } = each;
            const what = { issuer: ISSUER, ...members };
            for (let time = 0; time < manifold; time++) {
              expect(view.revoke(what, seconds() + offset)).toBe(true);
            }
            events.push({ what, at: Math.min(seconds() + offset, seconds() + 60), learntAt: seconds() });
          }
          view.markComplete(ISSUER, clock.ms);
          for (const made of tokens.filter(({ expiresAt }) => expiresAt > seconds())) {
            const matching = events.filter(({ what }) => matches(what, made));
            const mustBeDead = matching.some(
              ({ what, at, learntAt }) =>
                made.issuedAt <= learntAt && (endsForEver(what) || made.issuedAt <= at),
            );
            const mayBeDead = matching.some(({ what, at }) => endsForEver(what) || made.issuedAt <= at);
            const isDead = view.isRevoked(made);
            if (mustBeDead) expect(isDead).toBe(true);
            // A forgotten event may concern a token that is younger than the event.
            if (!mayBeDead) expect(isDead).toBe(false);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

function endsForEver({ consentId, sessionId, tokenId }: RevokedSubject): boolean {
  return (consentId ?? sessionId ?? tokenId) !== undefined;
}

/** A consent or token has its own identifier: the other members of the event are ignored. */
function matches(what: RevokedSubject, { tokenId, sessionId, delegation }: AuthenticatedToken): boolean {
  const { subject, clientId, actor, consent } = delegation;
  if (what.tokenId !== undefined) return what.tokenId === tokenId;
  if (what.consentId !== undefined) return what.consentId === consent?.id;
  const isClients = what.clientId === undefined || [clientId, actor?.sub].includes(what.clientId);
  if (what.sessionId !== undefined) return what.sessionId === sessionId && isClients;
  return isClients && (what.subject ?? subject) === subject;
}
