import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { GatewayAcknowledgements } from '../../authority/internal.js';
import type { StreamStatus } from '../../authority/ssf/stream.js';
import { StreamRegister } from '../../authority/ssf/streams.js';
import { SsfReceiver } from '../../revocation/receiver.js';
import { RevocationView } from '../../revocation/view.js';
import { Cleanup, TestLog, until } from '../gateway/support.js';
import { token } from '../revocation/transmitter.js';
import { startTestAuthority, STREAM_SECRET, type TestAuthority } from './setup.js';

const BY_ADMIN = { by: 'admin-iris', initiator: 'admin' } as const;

let authority: TestAuthority;
let streams: StreamRegister;
const cleanup = new Cleanup();
beforeAll(async () => {
  authority = await startTestAuthority({ longPollMs: 30_000 });
  streams = new StreamRegister(authority.database.db);
});
afterEach(() => cleanup.run());
afterAll(() => authority.close());

async function gateway(instance: string) {
  const { issuer } = authority;
  const view = new RevocationView({
    issuers: [issuer],
    maxStalenessMs: 60_000,
    maxTokenLifetimeSeconds: 300,
  });
  const log = new TestLog();
  const receiver = new SsfReceiver({ issuer, secret: STREAM_SECRET, instance }, view, log);
  cleanup.add(() => receiver.close());
  receiver.start();
  await until(() => view.isFresh(), 'the view is fresh');
  const isRevoked = (tokenId: string): boolean =>
    view.isRevoked(token({ issuer, tokenId, issuedAt: Math.floor(Date.now() / 1000) }));
  return { view, log, isRevoked };
}

const streamsOf = async (instance: string): Promise<readonly string[]> =>
  (await streams.list('gateways')).filter(({ description }) => description === instance).map(({ id }) => id);

describe('an administrator who pauses and resumes a gateway’s stream', () => {
  it.each<StreamStatus>(['disabled', 'paused'])(
    '(%s, then enabled) hides nothing: a new stream delivers everything',
    async (status) => {
      const { view, log, isRevoked } = await gateway(`stopped-${status}`);
      const [id = ''] = await streamsOf(`stopped-${status}`);
      await streams.setStatus(id, status, null);
      const tokenId = `token-${status}`;
      await authority.consents.revokeToken(tokenId, BY_ADMIN);
      await streams.setStatus(id, 'enabled', null);
      await until(() => isRevoked(tokenId), 'the revocation is received');
      await until(() => view.isFresh(), 'the view is fresh');
      expect(log.of('REVOCATION_STREAM_BROKEN').map(({ reason }) => reason)).toEqual(['HTTP_409']);
      const after = await streamsOf(`stopped-${status}`);
      expect(after).toHaveLength(1);
      expect(after).not.toContain(id);
    },
  );

  it('delays no revocation: the gateway permits nothing until it caught up', async () => {
    const { db, url: databaseUrl } = authority.database;
    const log = { log: () => undefined };
    const acknowledgements = await GatewayAcknowledgements.open({ databaseUrl, db, log });
    cleanup.add(() => acknowledgements.close());
    const [one, other] = [await gateway('one'), await gateway('other')];
    const [id = ''] = await streamsOf('one');
    await streams.setStatus(id, 'disabled', null);
    const { change } = await authority.consents.revokeToken('token-x', BY_ADMIN);
    const state = await acknowledgements.inForce(change, 20_000);
    expect(state).toMatchObject({ everywhere: true, waitingFor: [], silent: [] });
    expect(other.isRevoked('token-x')).toBe(true);
    expect(one.isRevoked('token-x') || !one.view.isFresh()).toBe(true);
    await until(
      () => one.view.isFresh() && one.isRevoked('token-x'),
      'the revocation is received over the new stream',
    );
  });
});
