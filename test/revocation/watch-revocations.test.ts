import { afterEach, describe, expect, it } from 'vitest';
import { WatchOptionsError, watchRevocations } from '../../revocation/index.js';
import type { ConsentChange, ReceiverOptions } from '../../revocation/index.js';
import { Cleanup, until } from '../gateway/support.js';
import { ISSUER, ofConsent, Transmitter } from './transmitter.js';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

it('calls hooks outside of a gateway, and ends its stream', async () => {
  const transmitter = await Transmitter.start();
  cleanup.add(() => transmitter.close());
  const changes: ConsentChange[] = [];
  const watch = watchRevocations({
    streams: [{ issuer: transmitter.url, secret: 'stream-secret' }],
    onConsentChange: (change) => changes.push(change),
  });
  expect(watch.isFresh()).toBe(false);
  await transmitter.announce(ofConsent('consent-1'));
  await until(() => changes.length > 0 && watch.isFresh(), 'the hooks were called');
  expect(changes[0]).toMatchObject({ consentId: 'consent-1' });
  await watch.close();
});

describe('watchRevocations refuses', () => {
  const stream = { issuer: ISSUER, secret: 'stream-secret' };

  it.each<[string, readonly ReceiverOptions[], string]>([
    ['no stream, which would always be fresh', [], 'streams: must not be empty'],
    [
      'an issuer to which a secret would go in the clear',
      [stream, { ...stream, issuer: 'http://issuer.example' }],
      'streams[1].issuer: must be an https: address; for development only, streams[1].allowInsecureIssuer: true permits http:',
    ],
    [
      'metadata at an address in the clear',
      [{ ...stream, configurationUri: 'http://issuer.example/ssf' }],
      'streams[0].configurationUri: must be an https: address; for development only, streams[0].allowInsecureIssuer: true permits http:',
    ],
    [
      'an endpoint of a foreign stream that is not an address',
      [{ ...stream, foreign: { deliveryEndpoint: 'poll', audience: 'cache' } }],
      'streams[0].foreign.deliveryEndpoint: must be an absolute address',
    ],
    [
      'a host that no address has',
      [{ ...stream, hosts: ['ssf.example', 'SSF.example'] }],
      'streams[0].hosts[1]: must be a host in lower case, such as ssf.example or ssf.example:8443',
    ],
    [
      'an empty secret, as of a missing variable',
      [{ ...stream, secret: '' }],
      'streams[0].secret: must not be empty',
    ],
    [
      'an issuer twice, of which one stream could hide that the other is behind',
      [stream, { ...stream }],
      'streams[1].issuer: is listed twice',
    ],
  ])('%s', (_what, streams, message) => {
    const attempt = (): unknown => watchRevocations({ streams });
    expect(attempt).toThrow(WatchOptionsError);
    expect(attempt).toThrow(expect.objectContaining({ message, code: 'INVALID_WATCH_OPTIONS' }));
  });

  it.each([0, -1, Number.NaN])('to be fresh for %s ms', (maxStalenessMs) => {
    expect(() => watchRevocations({ streams: [stream], maxStalenessMs })).toThrow(
      'maxStalenessMs: must be positive',
    );
  });
});
