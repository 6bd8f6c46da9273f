import { afterEach, describe, expect, it } from 'vitest';
import { RefusedError } from '../../gateway/errors.js';
import { RevocationView } from '../../revocation/view.js';
import { ManualClock } from '../support/manual-clock.js';
import { Admission } from './admission.js';
import { AUDIENCE, Cleanup, TestIssuer } from './support.js';
import { ISSUER, LIFETIME_SECONDS, token } from '../revocation/transmitter.js';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

const START_MS = Math.floor(Date.now() / 1000) * 1000;
const START = START_MS / 1000;

/** A gateway with one issuer, and its reason for refusing a token. */
async function start() {
  const clock = new ManualClock({ startMs: START_MS });
  const issuer = await TestIssuer.start();
  cleanup.add(() => issuer.close());
  const admission = new Admission({
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    propagation: { issuer: 'https://gateway.example' },
    clock,
  });
  const show = async (shown: string): Promise<string> => {
    try {
      await admission.authenticate(shown);
      return 'accepted';
    } catch (error) {
      return error instanceof RefusedError ? (error.refusal.reason ?? error.refusal.code) : String(error);
    }
  };
  return { issuer, show, clock };
}

describe('a remembered token', () => {
  it('ends exactly at its expiry, without clock tolerance', async () => {
    const { issuer, show, clock } = await start();
    const shown = await issuer.mint({ iat: START, exp: START + 60 });
    expect(await show(shown)).toBe('accepted');
    await clock.advance(59_999);
    expect(await show(shown)).toBe('accepted');
    await clock.advance(1);
    expect(await show(shown)).toBe('EXPIRED');
  });

  it('ends exactly with its consent', async () => {
    const { issuer, show, clock } = await start();
    const consent = { id: 'k', version: 1, purposes: ['credit'], detail: 'full', until: START + 30 };
    const shown = await issuer.mint({ iat: START, exp: START + 60, consent });
    expect(await show(shown)).toBe('accepted');
    await clock.advance(29_999);
    expect(await show(shown)).toBe('accepted');
    await clock.advance(1);
    expect(await show(shown)).toBe('CONSENT_ENDED');
  });
});

describe('a token from a clock that is ahead', () => {
  it.each([
    ['by 5 s is accepted', { iat: START + 5 }, 'accepted'],
    ['by more is refused', { iat: START + 5.001 }, 'ISSUED_IN_FUTURE'],
    ['that begins in 5 s is accepted', { nbf: START + 5 }, 'accepted'],
    ['that begins later is refused', { nbf: START + 6 }, 'ERR_JWT_CLAIM_VALIDATION_FAILED'],
  ])('%s', async (_name, claims, expected) => {
    const { issuer, show } = await start();
    expect(await show(await issuer.mint({ iat: START, exp: START + 60, ...claims }))).toBe(expected);
  });
});

describe('the view', () => {
  function makeView() {
    const clock = { ms: START_MS };
    const view = new RevocationView({
      issuers: [ISSUER],
      maxStalenessMs: 1_000,
      maxTokenLifetimeSeconds: LIFETIME_SECONDS,
      now: () => clock.ms,
    });
    const isRevoked = (issuedAt: number): boolean => view.isRevoked(token({ clientId: 'app', issuedAt }));
    return { view, clock, isRevoked };
  }

  it('is fresh for its issuer up to the bound, inclusive', () => {
    const { view, clock } = makeView();
    view.markComplete(ISSUER, START_MS);
    clock.ms += 1_000;
    expect(view.isFresh(ISSUER)).toBe(true);
    clock.ms += 1;
    expect(view.isFresh(ISSUER)).toBe(false);
  });

  it('does not age by a late answer to an earlier poll', () => {
    const { view } = makeView();
    view.markComplete(ISSUER, START_MS);
    view.markComplete(ISSUER, START_MS - 900);
    expect(view.ageSeconds).toBe(0);
  });

  it('marked unknown needs a new answer, but only for an announcing issuer', () => {
    const { view } = makeView();
    view.markComplete(ISSUER, START_MS);
    view.markUnknown(ISSUER);
    view.markUnknown('https://silent.example');
    expect(view.isFresh(ISSUER)).toBe(false);
    expect(view.isFresh('https://silent.example')).toBe(true);
    view.markComplete(ISSUER, START_MS - 10);
    expect(view.isFresh(ISSUER)).toBe(true);
  });

  it('accepts event times up to 60 s ahead, and caps later ones', () => {
    const { view, isRevoked } = makeView();
    view.revoke({ issuer: ISSUER, clientId: 'app' }, START + 600);
    expect([isRevoked(START + 60), isRevoked(START + 61)]).toEqual([true, false]);
  });

  it('remembers for one token lifetime and a minute', () => {
    const { view, clock, isRevoked } = makeView();
    view.revoke({ issuer: ISSUER, clientId: 'app' }, START);
    const keptMs = (LIFETIME_SECONDS + 60) * 1000;
    clock.ms = START_MS + keptMs - 1_000;
    view.markComplete(ISSUER, clock.ms);
    expect(view.size).toBe(1);
    expect(isRevoked(START)).toBe(true);
    clock.ms = START_MS + keptMs + 61_000;
    view.markComplete(ISSUER, clock.ms);
    expect(view.size).toBe(0);
  });

  it('ends what was issued up to a moment, rounded up, and irrevocably', () => {
    const { view, isRevoked } = makeView();
    view.revokeIssued(ISSUER, START + 0.2);
    expect([isRevoked(START + 1), isRevoked(START + 2)]).toEqual([true, false]);
    view.revokeIssued(ISSUER, START - 100);
    expect(isRevoked(START + 1)).toBe(true);
    expect(view.isRevoked(token({ issuer: 'https://b.example', issuedAt: START }))).toBe(false);
  });
});
