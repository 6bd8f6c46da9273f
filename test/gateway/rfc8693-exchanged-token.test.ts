import type { ActorClaim } from '@behalf/directives';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { AuthenticatedToken } from '../../gateway/authenticate/token.js';
import { RevocationView } from '../../revocation/view.js';
import type { RevokedSubject } from '../../revocation/view.js';
import { AUDIENCE, Cleanup, codes, compose, startTestGateway, TestIssuer, TestSubgraph } from './support.js';
import { ISSUER, LIFETIME_SECONDS, token } from '../revocation/transmitter.js';

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

/** A token of the application, exchanged by `statements` and then by `archive`. */
function exchanged(issuedAt: number = NOW_SECONDS): AuthenticatedToken {
  const actor: ActorClaim = { sub: 'archive', act: { sub: 'statements' } };
  const plain = token({ clientId: 'budget-app', subject: 'alma', sessionId: 's', consentId: 'c', issuedAt });
  return { ...plain, delegation: { ...plain.delegation, actor } };
}

describe('RFC 8693: an exchanged token', () => {
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
    ['an unrelated service', { clientId: 'printer' }],
    ['the actor’s work for another person', { subject: 'noor', clientId: 'archive' }],
    ['another issuer’s client of the same name', { clientId: 'archive' }],
  ])('does not end with %s', (name, what) => {
    const view = makeView();
    const issuer = name.startsWith('another issuer') ? 'https://b.example' : ISSUER;
    view.revoke({ issuer, ...what }, NOW_SECONDS);
    expect(view.isRevoked(exchanged())).toBe(false);
  });

  it('does not end with an earlier revocation', () => {
    const view = makeView();
    view.revoke({ issuer: ISSUER, clientId: 'archive' }, NOW_SECONDS - 1);
    expect(view.isRevoked(exchanged())).toBe(false);
  });

  it.each(['budget-app', 'archive', 'statements'])('is suspended while %s is', (clientId) => {
    const view = makeView();
    view.suspensions.suspend(ISSUER, { kind: 'client', clientId });
    expect(view.suspensions.codeFor(exchanged())).toBe('CLIENT_SUSPENDED');
    view.suspensions.resume(ISSUER, { kind: 'client', clientId });
    expect(view.suspensions.codeFor(exchanged())).toBeUndefined();
  });
});

describe('RFC 8693: the ancestors of a token', () => {
  it('end it, and nothing else does', () => {
    const ids = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 2, maxLength: 9 });
    fc.assert(
      fc.property(ids, fc.nat(), fc.string(), ([own = '', ...exchangedFrom], pick, other) => {
        const held = { ...exchanged(), tokenId: own, exchangedFrom };
        const all = [own, ...exchangedFrom];
        const ended = makeView();
        ended.revoke({ issuer: ISSUER, tokenId: all[pick % all.length] ?? '' }, NOW_SECONDS);
        expect(ended.isRevoked(held)).toBe(true);
        const alive = makeView();
        if (!all.includes(other)) alive.revoke({ issuer: ISSUER, tokenId: other }, NOW_SECONDS);
        alive.revoke({ issuer: 'https://b.example', tokenId: own }, NOW_SECONDS);
        expect(alive.isRevoked(held)).toBe(false);
      }),
    );
  });

  const cleanup = new Cleanup();
  afterAll(() => cleanup.run());
  it('must be readable, and no more than there can be actors', async () => {
    const [people, issuer] = [await TestSubgraph.start('people'), await TestIssuer.start()];
    cleanup.add(() => people.close());
    cleanup.add(() => issuer.close());
    const gateway = await startTestGateway(cleanup, compose(people), {
      issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    });
    const ask = async (claim: unknown) =>
      gateway.ask('{ hello }', { token: await issuer.mint({ exchanged_from: claim }) });
    for (const claim of [
      't',
      5,
      null,
      {},
      ['t', 5],
      [null],
      Array.from({ length: 9 }, (_, index) => `t${index}`),
    ]) {
      const answer = await ask(claim);
      expect([answer.status, codes(answer)]).toEqual([401, ['INVALID_TOKEN']]);
    }
    for (const claim of [undefined, [], ['t'], Array.from({ length: 8 }, (_, index) => `t${index}`)]) {
      expect((await ask(claim)).status).toBe(200);
    }
  });
});
