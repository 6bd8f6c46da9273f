import { afterEach, describe, expect, it } from 'vitest';
import { WatchOptionsError, watchRevocations } from '../../revocation/index.js';
import type { ConsentChange, ReceiverOptions, WatchRevocationsOptions } from '../../revocation/index.js';
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
  const onRevocation = (): undefined => undefined;

  it.each<[string, readonly ReceiverOptions[], string]>([
    ['no stream, which would always be fresh', [], 'streams: must not be empty'],
    [
      'an issuer to which a secret would go in the clear',
      [stream, { ...stream, issuer: 'http://issuer.example' }],
      'streams[1].issuer: must be an https: address; for development only, streams[1].allowInsecureIssuer: true permits http:',
    ],
    [
      'an issuer with a query',
      [{ ...stream, issuer: `${ISSUER}?tenant=a` }],
      'streams[0].issuer: must have no query and no fragment (RFC 8414 section 2)',
    ],
    [
      'an issuer with a fragment',
      [{ ...stream, issuer: `${ISSUER}#a` }],
      'streams[0].issuer: must have no query and no fragment (RFC 8414 section 2)',
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
    const attempt = (): unknown => watchRevocations({ streams, onRevocation });
    expect(attempt).toThrow(WatchOptionsError);
    expect(attempt).toThrow(expect.objectContaining({ message, code: 'INVALID_WATCH_OPTIONS' }));
  });

  const foreign = { deliveryEndpoint: 'https://ssf.example/poll', audience: 'cache' };

  it.each<[string, unknown]>([
    ['the options', undefined],
    ['the options', null],
    ['the options', [stream]],
    ['streams', {}],
    ['streams', { streams: undefined }],
    ['streams', { streams: null }],
    ['streams', { streams: stream }],
    ['streams', { streams: [undefined] }],
    ['streams', { streams: ['https://issuer.example'] }],
    ['stream', { stream: [stream] }],
    ['onRevocation', { onRevocation: undefined }],
    ['onRevocation', { onRevocation: 'clear' }],
    ['onConsentChange', { onConsentChange: {} }],
    ['clock', { clock: { now: Date.now } }],
    ['onRevoked', { onRevoked: () => undefined }],
    ['log', { log: console.log }],
    ['log', { log: { log: 'stderr' } }],
    ['maxStalenessMs', { maxStalenessMs: 0 }],
    ['maxStalenessMs', { maxStalenessMs: -1 }],
    ['maxStalenessMs', { maxStalenessMs: Number.NaN }],
    ['maxStalenessMs', { maxStalenessMs: Number.POSITIVE_INFINITY }],
    ['maxStalenessMs', { maxStalenessMs: '75000' }],
    ['streams[0].issuer', { streams: [{ secret: 's' }] }],
    ['streams[0].issuer', { streams: [{ ...stream, issuer: 7 }] }],
    ['streams[0].secret', { streams: [{ issuer: ISSUER }] }],
    ['streams[0].secret', { streams: [{ ...stream, secret: 'first\nsecond' }] }],
    ['streams[0].secret', { streams: [{ ...stream, secret: 'with space' }] }],
    ['streams[0].secrets', { streams: [{ ...stream, secrets: 's' }] }],
    ['streams[0].hosts', { streams: [{ ...stream, hosts: 'ssf.example' }] }],
    ['streams[0].hosts', { streams: [{ ...stream, hosts: [7] }] }],
    ['streams[0].instance', { streams: [{ ...stream, instance: '' }] }],
    ['streams[0].allowInsecureIssuer', { streams: [{ ...stream, allowInsecureIssuer: 'yes' }] }],
    ['streams[0].foreign', { streams: [{ ...stream, foreign: true }] }],
    [
      'streams[0].foreign.audience',
      { streams: [{ ...stream, foreign: { ...foreign, audience: undefined } }] },
    ],
    ['streams[0].foreign.aud', { streams: [{ ...stream, foreign: { ...foreign, aud: 'x' } }] }],
    ['streams[0].foreign.events', { streams: [{ ...stream, foreign: { ...foreign, events: ['revoked'] } }] }],
    [
      'streams[0].foreign.emailIsSubject',
      { streams: [{ ...stream, foreign: { ...foreign, emailIsSubject: 1 } }] },
    ],
  ])('a wrong or unknown option, and names it: %s', (path, options) => {
    const isObject = typeof options === 'object' && options !== null && !Array.isArray(options);
    const whole = isObject && path !== 'streams' ? { streams: [stream], onRevocation, ...options } : options;
    const attempt = (): unknown => watchRevocations(whole as WatchRevocationsOptions);
    expect(attempt).toThrow(WatchOptionsError);
    expect(attempt).toThrow(expect.objectContaining({ path }));
  });
});
