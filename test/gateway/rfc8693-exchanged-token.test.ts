import type { ActorClaim } from '@behalf/directives';
import { describe, expect, it } from 'vitest';
import type { AuthenticatedToken } from '../../gateway/authenticate/index.js';
import { RevocationView } from '../../gateway/revocation/view.js';
import type { RevokedSubject } from '../../gateway/revocation/view.js';
import { ISSUER, LIFETIME_SECONDS, token } from './transmitter.js';

const NOW_MS = 1_800_000_000_000;
const NOW_SECONDS = NOW_MS / 1000;

function makeView(): RevocationView {
  return new RevocationView({
    issuers: [ISSUER],
    maxStalenessMs: 1_000,
    maxTokenLifetimeSeconds: LIFETIME_SECONDS,
    now: () => NOW_MS,
  });
}

/** A token of the application, exchanged by `statements`, and that by `archive`. */
function exchanged(issuedAt: number = NOW_SECONDS): AuthenticatedToken {
  const actor: ActorClaim = { sub: 'archive', act: { sub: 'statements' } };
  const plain = token({ clientId: 'budget-app', subject: 'alma', sessionId: 's', consentId: 'c', issuedAt });
  return { ...plain, delegation: { ...plain.delegation, actor } };
}

describe('RFC 8693: a token that was exchanged', () => {
  it.each<[string, Omit<RevokedSubject, 'issuer'>]>([
    ['its application', { clientId: 'budget-app' }],
    ['the service that acts', { clientId: 'archive' }],
    ['a service that acted before it', { clientId: 'statements' }],
    ['its consent', { consentId: 'c' }],
    ['its person', { subject: 'alma' }],
    ['its session', { sessionId: 's' }],
    ['the part of its session of a service that acts', { sessionId: 's', clientId: 'statements' }],
    ['what a service that acts does for the person', { subject: 'alma', clientId: 'archive' }],
  ])('ends with %s', (_, what) => {
    const view = makeView();
    expect(view.isRevoked(exchanged())).toBe(false);
    view.revoke({ issuer: ISSUER, ...what }, NOW_SECONDS);
    expect(view.isRevoked(exchanged())).toBe(true);
  });

  it.each<[string, Omit<RevokedSubject, 'issuer'>]>([
    ['a service that has no part in it', { clientId: 'printer' }],
    ['what a service that acts does for somebody else', { subject: 'noor', clientId: 'archive' }],
    ['another issuer’s client of the same name', { clientId: 'archive' }],
  ])('does not end with %s', (name, what) => {
    const view = makeView();
    const issuer = name.startsWith('another issuer') ? 'https://b.example' : ISSUER;
    view.revoke({ issuer, ...what }, NOW_SECONDS);
    expect(view.isRevoked(exchanged())).toBe(false);
  });

  it('does not end with what was revoked before it was issued', () => {
    const view = makeView();
    view.revoke({ issuer: ISSUER, clientId: 'archive' }, NOW_SECONDS - 1);
    expect(view.isRevoked(exchanged())).toBe(false);
  });

  it.each(['budget-app', 'archive', 'statements'])('stands still while %s is suspended', (clientId) => {
    const view = makeView();
    view.suspensions.suspend(ISSUER, { kind: 'client', clientId });
    expect(view.suspensions.codeFor(exchanged())).toBe('CLIENT_SUSPENDED');
    view.suspensions.resume(ISSUER, { kind: 'client', clientId });
    expect(view.suspensions.codeFor(exchanged())).toBeUndefined();
  });
});
