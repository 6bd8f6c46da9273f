import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Authenticator } from '../../gateway/authenticate/index.js';
import type { AuthenticatedToken } from '../../gateway/authenticate/index.js';
import { RevocationView } from '../../gateway/revocation/view.js';
import type { RevokedSubject } from '../../gateway/revocation/view.js';

const ISSUER = 'https://login.example';
const MAX_LIFETIME_SECONDS = 300;

class Clock {
  nowMs = 1_000_000_000;
  readonly now = (): number => this.nowMs;

  get seconds(): number {
    return this.nowMs / 1000;
  }
}

function viewAt(clock: Clock, maxEntries = 1_000): RevocationView {
  return new RevocationView({
    maxStalenessMs: 1_000,
    maxTokenLifetimeSeconds: MAX_LIFETIME_SECONDS,
    maxEntries,
    now: clock.now,
  });
}

interface TokenParts {
  readonly issuer?: string;
  readonly subject?: string;
  readonly clientId?: string;
  readonly consentId?: string;
  readonly issuedAt: number;
}

function token({ issuer, subject, clientId, consentId, issuedAt }: TokenParts): AuthenticatedToken {
  return {
    issuer: issuer ?? ISSUER,
    tokenId: undefined,
    issuedAt,
    expiresAt: issuedAt + MAX_LIFETIME_SECONDS,
    delegation: {
      subject: subject ?? 'alma',
      clientId: clientId ?? 'app',
      scopes: new Set(),
      policies: new Set(),
      roles: [],
      ...(consentId === undefined
        ? {}
        : { consent: { id: consentId, version: 1, purposes: [], detail: 'full' as const } }),
    },
  };
}

describe('what a revocation ends', () => {
  it('a consent for ever, whenever the token was issued', () => {
    const clock = new Clock();
    const view = viewAt(clock);
    view.revoke({ issuer: ISSUER, consentId: 'k', subject: 'alma' }, clock.seconds);
    expect(view.isRevoked(token({ consentId: 'k', issuedAt: clock.seconds + 60 }))).toBe(true);
    expect(view.isRevoked(token({ consentId: 'other', issuedAt: clock.seconds - 60 }))).toBe(false);
    expect(view.isRevoked(token({ issuedAt: clock.seconds - 60 }))).toBe(false);
  });

  it('a client or a subject up to its time, the same second included', () => {
    const clock = new Clock();
    const view = viewAt(clock);
    view.revoke({ issuer: ISSUER, clientId: 'app' }, clock.seconds);
    expect(view.isRevoked(token({ issuedAt: clock.seconds }))).toBe(true);
    expect(view.isRevoked(token({ issuedAt: clock.seconds + 1 }))).toBe(false);
    expect(view.isRevoked(token({ clientId: 'other', issuedAt: clock.seconds }))).toBe(false);
  });

  it('both, where both are named: all the members must match', () => {
    const clock = new Clock();
    const view = viewAt(clock);
    view.revoke({ issuer: ISSUER, clientId: 'app', subject: 'alma' }, clock.seconds);
    expect(view.isRevoked(token({ issuedAt: clock.seconds }))).toBe(true);
    expect(view.isRevoked(token({ subject: 'noor', issuedAt: clock.seconds }))).toBe(false);
    expect(view.isRevoked(token({ clientId: 'other', issuedAt: clock.seconds }))).toBe(false);
  });

  it('nothing of another issuer with the same names', () => {
    const clock = new Clock();
    const view = viewAt(clock);
    view.revoke({ issuer: ISSUER, subject: 'alma' }, clock.seconds);
    expect(view.isRevoked(token({ issuer: 'https://other.example', issuedAt: clock.seconds }))).toBe(false);
  });

  it('never less because an older event comes later', () => {
    const clock = new Clock();
    const view = viewAt(clock);
    view.revoke({ issuer: ISSUER, clientId: 'app' }, clock.seconds);
    view.revoke({ issuer: ISSUER, clientId: 'app' }, clock.seconds - 200);
    expect(view.isRevoked(token({ issuedAt: clock.seconds - 1 }))).toBe(true);
  });

  it('an event that names nobody is no revocation', () => {
    expect(() => viewAt(new Clock()).revoke({ issuer: ISSUER }, 1)).toThrow();
  });

  it('names cannot be chosen so that one is taken for another', () => {
    const clock = new Clock();
    const view = viewAt(clock);
    view.revoke({ issuer: ISSUER, subject: 'a","b' }, clock.seconds);
    expect(view.isRevoked(token({ subject: 'a', clientId: 'b', issuedAt: clock.seconds }))).toBe(false);
    expect(view.isRevoked(token({ subject: 'a","b', issuedAt: clock.seconds }))).toBe(true);
  });
});

describe('how old the view is', () => {
  it('it starts as too old, and is fresh from when the question was asked', () => {
    const clock = new Clock();
    const view = viewAt(clock);
    expect(view.isFresh()).toBe(false);
    const askedAt = clock.nowMs;
    clock.nowMs += 900;
    view.markComplete(askedAt);
    expect(view.isFresh()).toBe(true);
    expect(view.ageMs).toBe(900);
    clock.nowMs += 101;
    expect(view.isFresh()).toBe(false);
  });
});

describe('bounds', () => {
  it('says that it has no room, keeps what it knows, and still takes news of what it knows', () => {
    const clock = new Clock();
    const view = viewAt(clock, 2);
    expect(view.revoke({ issuer: ISSUER, clientId: 'a' }, clock.seconds)).toBe(true);
    expect(view.revoke({ issuer: ISSUER, clientId: 'b' }, clock.seconds)).toBe(true);
    expect(view.revoke({ issuer: ISSUER, clientId: 'c' }, clock.seconds)).toBe(false);
    expect(view.size).toBe(2);
    expect(view.revoke({ issuer: ISSUER, clientId: 'a' }, clock.seconds + 5)).toBe(true);
    expect(view.isRevoked(token({ clientId: 'a', issuedAt: clock.seconds + 5 }))).toBe(true);
    expect(view.isRevoked(token({ clientId: 'b', issuedAt: clock.seconds }))).toBe(true);
  });

  it('forgets what no unexpired token can match, and then has room again', () => {
    const clock = new Clock();
    const view = viewAt(clock, 1);
    view.revoke({ issuer: ISSUER, consentId: 'k' }, clock.seconds);
    clock.nowMs += MAX_LIFETIME_SECONDS * 1000 + 61_000;
    expect(view.revoke({ issuer: ISSUER, consentId: 'l' }, clock.seconds)).toBe(true);
    expect(view.size).toBe(1);
  });
});

const name = fc.constantFrom('a', 'b', 'c');
const optionalName = fc.option(name, { nil: undefined });

const what: fc.Arbitrary<RevokedSubject> = fc
  .record({ subject: optionalName, clientId: optionalName, consentId: optionalName })
  .filter((members) => Object.values(members).some((member) => member !== undefined))
  .map(({ subject, clientId, consentId }) => ({
    issuer: ISSUER,
    ...(subject === undefined ? {} : { subject }),
    ...(clientId === undefined ? {} : { clientId }),
    ...(consentId === undefined ? {} : { consentId }),
  }));

const event = fc.record({
  what,
  /** Waited before it is learnt. */
  waitSeconds: fc.integer({ min: 0, max: 200 }),
  /** How long it had been under way. */
  lateSeconds: fc.integer({ min: 0, max: 100 }),
});

const tokens = fc.record({
  subject: name,
  clientId: name,
  consentId: optionalName,
  ageSeconds: fc.integer({ min: 0, max: MAX_LIFETIME_SECONDS }),
});

describe('properties', () => {
  it('a live token that an event ends is never accepted, whatever was learnt and forgotten since', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 12 }), tokens, (events, parts) => {
        const clock = new Clock();
        const view = viewAt(clock);
        const learnt: { what: RevokedSubject; at: number }[] = [];
        for (const { what: subject, waitSeconds, lateSeconds } of events) {
          clock.nowMs += waitSeconds * 1000;
          const at = clock.seconds - lateSeconds;
          expect(view.revoke(subject, at)).toBe(true);
          learnt.push({ what: subject, at });
          view.markComplete(clock.nowMs);
        }
        const candidate = token({
          subject: parts.subject,
          clientId: parts.clientId,
          ...(parts.consentId === undefined ? {} : { consentId: parts.consentId }),
          issuedAt: clock.seconds - parts.ageSeconds,
        });
        // The model: the contract's sentence, over everything that was ever said.
        const isEnded = learnt.some(
          ({ what: { subject, clientId, consentId }, at }) =>
            (subject === undefined || subject === parts.subject) &&
            (clientId === undefined || clientId === parts.clientId) &&
            (consentId === undefined || consentId === parts.consentId) &&
            (consentId !== undefined
              ? // "For ever" reaches as far as tokens that could have been alive when it was said.
                at + MAX_LIFETIME_SECONDS >= clock.seconds
              : candidate.issuedAt <= at),
        );
        if (isEnded) expect(view.isRevoked(candidate)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('a token that nothing could mean is never refused', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 12 }), (events) => {
        const clock = new Clock();
        const view = viewAt(clock);
        for (const { what: subject } of events) view.revoke(subject, clock.seconds);
        const stranger = token({
          subject: 'x',
          clientId: 'y',
          consentId: 'z',
          issuedAt: clock.seconds - 10,
        });
        expect(view.isRevoked(stranger)).toBe(false);
      }),
    );
  });

  it('it never holds more than it may', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), fc.integer({ min: 1, max: 5 }), (events, max) => {
        const clock = new Clock();
        const view = viewAt(clock, max);
        for (const { what: subject, waitSeconds } of events) {
          clock.nowMs += waitSeconds * 1000;
          view.revoke(subject, clock.seconds);
          expect(view.size).toBeLessThanOrEqual(max);
        }
      }),
    );
  });
});

describe('two issuers', () => {
  it('are each known by their own stream: one that is silent is not made fresh by the other', async () => {
    const nowSeconds = Math.floor(Date.now() / 1000);
    const payload = { sub: 'alma', client_id: 'app', iat: nowSeconds, exp: nowSeconds + 60 };
    const view = (): RevocationView =>
      new RevocationView({ maxStalenessMs: 60_000, maxTokenLifetimeSeconds: MAX_LIFETIME_SECONDS });
    const live = view();
    const silent = view();
    const authenticator = new Authenticator({
      anonymous: 'refuse',
      revocations: new Map([
        ['https://live.example', live],
        ['https://silent.example', silent],
      ]),
      // The token is the name of its issuer: how tokens are verified is not asked here.
      issuers: {
        verify: (issuer) =>
          Promise.resolve({
            issuer: { issuer: `https://${issuer}`, audience: 'api' },
            payload: { ...payload, jti: 'one' },
          }),
      },
    });
    const show = (issuer: string) => authenticator.authenticate([`Bearer ${issuer}`]);
    live.markComplete(live.now());

    await expect(show('live.example')).resolves.toMatchObject({ issuer: 'https://live.example' });
    await expect(show('silent.example')).rejects.toMatchObject({
      refusal: { code: 'REVOCATION_STATE_STALE', status: 503 },
    });
    // One that announces nothing is nobody's to wait for.
    await expect(show('foreign.example')).resolves.toMatchObject({ issuer: 'https://foreign.example' });

    // What one announces ends nothing of the other's.
    silent.markComplete(silent.now());
    silent.revoke({ issuer: 'https://silent.example', subject: 'alma' }, nowSeconds);
    await expect(show('silent.example')).rejects.toMatchObject({ refusal: { reason: 'REVOKED' } });
    await expect(show('live.example')).resolves.toBeDefined();
  });
});
