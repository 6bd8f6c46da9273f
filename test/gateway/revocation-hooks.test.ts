import { afterEach, describe, expect, it } from 'vitest';
import type { ConsentChange, Revocation } from '../../revocation/index.js';
import { HookQueue } from '../../revocation/hooks.js';
import { RevocationView } from '../../revocation/view.js';
import type { RevokedSubject } from '../../revocation/view.js';
import {
  AUDIENCE,
  Cleanup,
  compose,
  startTestGateway,
  TestIssuer,
  TestLog,
  TestSubgraph,
  until,
} from './support.js';
import { ofConsent, token, Transmitter } from '../revocation/transmitter.js';

const ISSUER = 'https://issuer.example';
const cleanup = new Cleanup();
afterEach(() => cleanup.run());

/** A view and the calls of its hooks. */
function watched(
  hooks?: ConstructorParameters<typeof HookQueue>[0],
  maxWaiting?: number,
  maxWaitMs?: number,
) {
  const told: Revocation[] = [];
  const log = new TestLog();
  const onRevocation = (revocation: Revocation) => told.push(revocation);
  const queue = new HookQueue(hooks ?? { onRevocation }, log, { maxWaiting, maxWaitMs });
  const view = new RevocationView({
    issuers: [ISSUER],
    maxStalenessMs: 1_000,
    maxTokenLifetimeSeconds: 600,
    whenRevoked: (what, atSeconds) => queue.tell(what, atSeconds),
  });
  return { view, told, log };
}

describe('onRevocation', () => {
  it.each<[string, Omit<RevokedSubject, 'issuer'>]>([
    ['consent', { consentId: 'consent-1', subject: 'alma', clientId: 'budget-app' }],
    ['session', { sessionId: 'sid-1' }],
    ['token', { tokenId: 'jti-1' }],
    ['subject', { subject: 'alma' }],
    ['subject', { subject: 'alma', clientId: 'budget-app' }],
    ['client', { clientId: 'budget-app' }],
    ['key', { keyId: 'kid-1' }],
  ])('learns that a %s ended, with what was announced', async (kind, what) => {
    const { view, told } = watched();
    expect(view.revoke({ issuer: ISSUER, ...what }, 1_700_000_000.5)).toBe(true);
    await until(() => told.length === 1, 'the hooks were called');
    expect(told).toEqual([{ kind, issuer: ISSUER, ...what, endedAtMs: 1_700_000_000_500 }]);
  });

  it('learns that everything of an issuer ended, when details are unknown', async () => {
    const { view, told } = watched();
    view.revokeIssued(ISSUER, 1_700_000_000);
    await until(() => told.length === 1, 'the hooks were called');
    expect(told).toEqual([{ kind: 'issuer', issuer: ISSUER, endedAtMs: 1_700_000_000_000 }]);
  });

  it('is called after the view enforces it, never during the announcement', async () => {
    let wasRevoked: boolean | undefined;
    const { view } = watched({
      onRevocation: () => {
        wasRevoked = view.isRevoked(token({ consentId: 'consent-1', issuedAt: 1 }));
      },
    });
    view.revoke({ issuer: ISSUER, consentId: 'consent-1' }, 1_700_000_000);
    expect(wasRevoked).toBeUndefined();
    await until(() => wasRevoked !== undefined, 'the hooks were called');
    expect(wasRevoked).toBe(true);
  });
});

describe('a hook that misbehaves', () => {
  it.each<[string, () => unknown, string]>([
    [
      'throws',
      () => {
        throw new Error('alma’s token is s3cret');
      },
      'THROWN',
    ],
    ['rejects', () => Promise.reject(new Error('alma’s token is s3cret')), 'THROWN'],
    ['never ends', () => new Promise(() => undefined), 'TIMEOUT'],
  ])('is logged if it %s, and delays neither the view nor later calls', async (_what, fail, reason) => {
    let calls = 0;
    const told: ConsentChange[] = [];
    const onRevocation = () => {
      calls += 1;
      return fail();
    };
    const { view, log } = watched({ onRevocation, onConsentChange: (change) => told.push(change) }, 100, 20);
    for (const consentId of ['one', 'two', 'three']) view.revoke({ issuer: ISSUER, consentId }, 1);
    expect(view.isRevoked(token({ consentId: 'three', issuedAt: 1 }))).toBe(true);
    await until(() => calls === 3 && told.length === 3, 'all hooks were called');
    expect(told.map(({ consentId }) => consentId)).toEqual(['one', 'two', 'three']);
    // Bounded: one line, however many fail.
    expect(log.of('REVOCATION_HOOK_FAILED')).toEqual([{ reason, failures: 1 }]);
    expect(log.text).not.toMatch(/alma|s3cret/);
  });

  it('is told to forget everything if it cannot keep up', async () => {
    const told: Revocation[] = [];
    let release = (): void => undefined;
    const isReleased = new Promise<void>((resolve) => (release = resolve));
    const onRevocation = (revocation: Revocation) => {
      told.push(revocation);
      return isReleased;
    };
    const { view, log } = watched({ onRevocation }, 10);
    view.revoke({ issuer: ISSUER, tokenId: 'first' }, 1);
    await until(() => told.length === 1, 'the first is called');
    for (let n = 0; n < 25; n += 1) view.revoke({ issuer: ISSUER, tokenId: `token-${n}` }, 1);
    release();
    await until(() => told.length > 1, 'the rest are called');
    expect(told[1]).toMatchObject({ kind: 'unknown' });
    expect(told.length).toBeLessThan(20);
    expect(log.of('REVOCATION_HOOK_FAILED')).toEqual([{ reason: 'DROPPED', failures: 1 }]);
  });
});

it('works in a gateway over a real stream', async () => {
  const transmitter = await Transmitter.start();
  const issuer = await TestIssuer.start();
  const people = await TestSubgraph.start('people');
  for (const each of [transmitter, issuer, people]) cleanup.add(() => each.close());
  const changes: ConsentChange[] = [];
  const revocations: Revocation[] = [];
  await startTestGateway(
    cleanup,
    compose(people),
    {
      issuers: [
        { issuer: issuer.url, audience: AUDIENCE },
        { issuer: transmitter.url, audience: AUDIENCE, jwksUri: `${issuer.url}/jwks`, namespace: 'other' },
      ],
      revocation: { streams: [{ issuer: transmitter.url, secret: 'stream-secret' }] },
    },
    {
      onConsentChange: (change) => changes.push(change),
      onRevocation: (revocation) => revocations.push(revocation),
    },
  );
  await transmitter.announce(ofConsent('consent-1'));
  await until(() => changes.length === 1, 'the hooks were called');
  expect(changes[0]).toMatchObject({ kind: 'consent', issuer: transmitter.url, consentId: 'consent-1' });
  expect(revocations).toEqual(changes);
});
