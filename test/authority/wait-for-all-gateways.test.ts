import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { GatewayAcknowledgements } from '../../authority/internal.js';
import { SsfReceiver } from '../../revocation/receiver.js';
import { RevocationView } from '../../revocation/view.js';
import { Cleanup, TestLog, until } from '../gateway/support.js';
import { token } from '../revocation/transmitter.js';
import { startTestAuthority, STREAM_SECRET, type TestAuthority } from './setup.js';

const BY_ADMIN = { by: 'admin-iris', initiator: 'admin' } as const;
/** Longer than any of these waits should take. */
const LONG_MS = 20_000;

let authority: TestAuthority;
let acknowledgements: GatewayAcknowledgements;
const cleanup = new Cleanup();
beforeAll(async () => {
  // Polls are far longer than the waits: an acknowledgement sent with the following poll would be too late.
  authority = await startTestAuthority({ longPollMs: 30_000 });
  const log = { log: () => undefined };
  const { db, url: databaseUrl } = authority.database;
  acknowledgements = await GatewayAcknowledgements.open({ databaseUrl, db, log });
});
afterEach(() => cleanup.run());
afterAll(async () => {
  await acknowledgements.close();
  await authority.close();
});

/** The part of a gateway that follows the change log. */
async function gateway(instance: string, { maxEntries = 1_000, issuer = authority.issuer } = {}) {
  const view = new RevocationView({
    issuers: [issuer],
    maxStalenessMs: 75_000,
    maxTokenLifetimeSeconds: 300,
    maxEntries,
  });
  const receiver = new SsfReceiver({ issuer, secret: STREAM_SECRET, instance }, view, new TestLog());
  cleanup.add(() => receiver.close());
  receiver.start();
  await until(() => view.isFresh(), 'the view is fresh');
  const isRevoked = (tokenId: string): boolean =>
    view.isRevoked(token({ issuer, tokenId, issuedAt: Math.floor(Date.now() / 1000) }));
  return { receiver, view, isRevoked };
}

/** A gateway that crashes: its stream remains, and nobody polls it. */
async function lostGateway(description: string, maxStalenessMs: number): Promise<string> {
  const response = await fetch(`${authority.issuer}/ssf/streams`, {
    method: 'POST',
    headers: { authorization: `Bearer ${STREAM_SECRET}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      delivery: { method: 'urn:ietf:rfc:8936' },
      description,
      behalf_max_staleness_ms: maxStalenessMs,
    }),
  });
  expect(response.status).toBe(201);
  const { stream_id: id } = (await response.json()) as { stream_id: string };
  cleanup.add(() => authority.database.db.deleteFrom('authority.stream').where('id', '=', id).execute());
  return id;
}

let tokens = 0;
async function revoke() {
  const tokenId = `token-${++tokens}`;
  const { change } = await authority.consents.revokeToken(tokenId, BY_ADMIN);
  return { tokenId, change };
}

describe('waiting for all gateways', () => {
  it('answers as soon as all three gateways have the change', async () => {
    const three = await Promise.all(['one', 'two', 'three'].map((name) => gateway(name)));
    const { tokenId, change } = await revoke();
    const state = await acknowledgements.inForce(change, LONG_MS);
    expect(state).toEqual({ everywhere: true, gateways: 3, waitingFor: [], silent: [] });
    expect(three.map(({ isRevoked }) => isRevoked(tokenId))).toEqual([true, true, true]);
  });

  it('names the gateway that cannot acknowledge, until it is gone', async () => {
    await Promise.all(['one', 'two'].map((name) => gateway(name)));
    const full = await gateway('full', { maxEntries: 1_000 });
    for (let each = 0; full.view.size < 1_000; each++) {
      full.view.revoke({ issuer: authority.issuer, tokenId: `filler-${each}` }, Date.now() / 1000);
    }
    const { change } = await revoke();
    const waited = await acknowledgements.inForce(change, 1_500);
    expect(waited).toEqual({ everywhere: false, gateways: 3, waitingFor: ['full'], silent: [] });
    const waiting = acknowledgements.inForce(change, LONG_MS);
    await full.receiver.close();
    expect(await waiting).toEqual({ everywhere: true, gateways: 2, waitingFor: [], silent: [] });
  });

  it('does not wait for a gateway that stopped its stream on closing', async () => {
    const [first] = await Promise.all(['one', 'two'].map((name) => gateway(name)));
    await first?.receiver.close();
    const { change } = await revoke();
    expect(await acknowledgements.inForce(change, LONG_MS)).toMatchObject({ everywhere: true, gateways: 1 });
  });

  it('waits for a lost gateway as long as it may permit anything', async () => {
    await gateway('one');
    await lostGateway('lost', 4_000);
    await lostGateway('lost long ago', 1);
    const { change } = await revoke();
    expect(await acknowledgements.inForce(change, 500)).toEqual({
      everywhere: false,
      gateways: 2,
      waitingFor: ['lost'],
      silent: ['lost long ago'],
    });
    expect(await acknowledgements.inForce(change, LONG_MS)).toEqual({
      everywhere: true,
      gateways: 1,
      waitingFor: [],
      silent: ['lost', 'lost long ago'],
    });
  });

  it('does not count a receiver that is not a gateway', async () => {
    await gateway('one');
    const response = await fetch(`${authority.issuer}/ssf/streams`, {
      method: 'POST',
      headers: { authorization: `Bearer ${STREAM_SECRET}`, 'content-type': 'application/json' },
      body: JSON.stringify({ delivery: { method: 'urn:ietf:rfc:8936' }, description: 'a SIEM' }),
    });
    expect(response.status).toBe(201);
    const { change } = await revoke();
    expect(await acknowledgements.inForce(change, LONG_MS)).toMatchObject({ everywhere: true, gateways: 1 });
  });

  it('waits for all earlier changes if nothing changed', async () => {
    await gateway('one');
    await lostGateway('lost', 60_000);
    const { tokenId } = await revoke();
    const again = await authority.consents.revokeToken(tokenId, BY_ADMIN);
    expect(again).toEqual({ outcome: 'already', change: undefined });
    const state = await acknowledgements.inForce(again.change, 500);
    expect(state).toMatchObject({ everywhere: false, waitingFor: ['lost'] });
  });

  it.each([0, -1, 1.5, 'x', 86_400_001])('a stream cannot claim a staleness of %s', async (staleness) => {
    const response = await fetch(`${authority.issuer}/ssf/streams`, {
      method: 'POST',
      headers: { authorization: `Bearer ${STREAM_SECRET}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        delivery: { method: 'urn:ietf:rfc:8936' },
        behalf_max_staleness_ms: staleness,
      }),
    });
    expect(response.status).toBe(400);
  });
});
