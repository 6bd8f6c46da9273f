import { isIP } from 'node:net';

/**
 * What of an address is recorded: the network, not the host: /24 of IPv4, /48 of IPv6. Undefined for anything but an address, because a
 * server may pass on what a client sent.
 */
export function truncateAddress(address: string | undefined): string | undefined {
  if (address === undefined || isIP(address) === 0) return undefined;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
  const four = /^(\d+)\.(\d+)\.(\d+)\.\d+$/.exec(mapped);
  if (four !== null) return `${four.slice(1, 4).join('.')}.0/24`;
  const [head = '', tail] = mapped.split('::', 2);
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups =
    tail === undefined
      ? before
      : [...before, ...Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0'), ...after];
  return `${groups.slice(0, 3).join(':')}::/48`;
}
