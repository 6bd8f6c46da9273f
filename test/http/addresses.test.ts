import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { AddressList, forwardedAddress, networkOf } from '../../http/addresses.js';

describe('the key under which a client is counted', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::ffff:c000:207', '192.0.2.7'],
    ['::FFFF:192.0.2.7', '192.0.2.7'],
    ['0:0:0:0:0:ffff:192.0.2.7', '192.0.2.7'],
    ['64:ff9b::192.0.2.7', '192.0.2.7'],
    ['2002:c000:207::1', '192.0.2.7'],
    ['2002:c000:207:ffff:1::1', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('%s counts as %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  it.each([
    undefined,
    '',
    'unknown',
    '192.0.2',
    '192.0.2.7:80',
    '[::1]',
    '2001:db8::1/64',
    'a'.repeat(10_000),
  ])('anything that is not an address counts as one client: %s', (address) => {
    expect(networkOf(address)).toBe('unknown');
  });

  it('every address of a /64 is one client, and the next /64 is another', () => {
    const group = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16));
    const half = fc.array(group, { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(half, half, half, (network, one, other) => {
        const prefix = ['2001', ...network.slice(1)].join(':');
        const first = networkOf(`${prefix}:${one.join(':')}`);
        expect(networkOf(`${prefix}:${other.join(':')}`)).toBe(first);
        expect(first).toMatch(/::\/64$/);
        expect(networkOf(`2003:${prefix.slice(5)}:${one.join(':')}`)).not.toBe(first);
      }),
    );
  });
});

describe('the client’s address behind proxies', () => {
  const proxies = new AddressList();
  it('accepts only addresses and networks', () => {
    expect(['10.0.0.1', '10.1.0.0/16', 'fd00::/8', '::1'].every((text) => proxies.add(text))).toBe(true);
    for (const text of [
      '',
      '10.0.0.1/33',
      '10.0.0.1/',
      '10.0.0.0/8/8',
      'localhost',
      'fd00::/129',
      '10.0.0.0/-1',
    ])
      expect(proxies.add(text)).toBe(false);
  });

  it.each([
    ['192.0.2.1', ['203.0.113.9'], '192.0.2.1'],
    ['10.0.0.1', ['203.0.113.9'], '203.0.113.9'],
    ['::ffff:10.0.0.1', ['203.0.113.9'], '203.0.113.9'],
    ['10.0.0.1', ['1.1.1.1, 203.0.113.9'], '203.0.113.9'],
    ['10.0.0.1', ['1.1.1.1', '203.0.113.9, 10.1.2.3'], '203.0.113.9'],
    ['10.0.0.1', ['203.0.113.9, forged'], '10.0.0.1'],
    ['10.0.0.1', [], '10.0.0.1'],
    ['fd00::2', ['2001:db8::5'], '2001:db8::5'],
    [undefined, ['203.0.113.9'], undefined],
  ])('the peer %s that forwards for %j yields %s', (peer, forwarded, address) => {
    expect(forwardedAddress(peer, forwarded, proxies)).toBe(address);
  });
});
