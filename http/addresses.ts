import { BlockList, isIP } from 'node:net';

/**
 * A list of IP addresses and networks (`10.0.3.0/24`, `fd00::/8`).
 *
 * @example
 * ```ts
 * import { AddressList } from '@behalf/http';
 *
 * const proxies = new AddressList();
 * proxies.add('10.0.3.0/24');
 * proxies.includes('10.0.3.7'); // true
 * ```
 */
export class AddressList {
  readonly #entries = new BlockList();

  /**
   * Adds an address or a network.
   *
   * @returns false if the text is neither an address nor a network; nothing was added then
   */
  add(text: unknown): boolean {
    // In JavaScript, nothing else checks what a configuration holds.
    if (typeof text !== 'string') return false;
    const [address = '', length, ...rest] = text.split('/');
    const version = isIP(address);
    if (version === 0 || rest.length > 0) return false;
    const family = version === 4 ? 'ipv4' : 'ipv6';
    if (length === undefined) {
      this.#entries.addAddress(address, family);
      return true;
    }
    if (!/^\d{1,3}$/.test(length) || Number(length) > (version === 4 ? 32 : 128)) return false;
    this.#entries.addSubnet(address, Number(length), family);
    return true;
  }

  /** Whether the address is in the list. An IPv4-mapped IPv6 address counts as its IPv4 address. */
  includes(address: string | undefined): boolean {
    const version = isIP(address ?? '');
    return version !== 0 && this.#entries.check(address ?? '', version === 4 ? 'ipv4' : 'ipv6');
  }
}

/**
 * The client's address behind trusted proxies. Each proxy appends the address of its peer, so the entries are read from the end.
 * Reading stops at the first address that is not a trusted proxy: the entries before it are only that peer's claim.
 *
 * @param peer the address at the other end of the connection
 * @param forwardedFor every value of the `X-Forwarded-For` header, in order
 *
 * @example
 * ```ts
 * import { AddressList, forwardedAddress } from '@behalf/http';
 *
 * const proxies = new AddressList();
 * proxies.add('10.0.0.1');
 * forwardedAddress('10.0.0.1', ['192.0.2.7'], proxies); // '192.0.2.7'
 * forwardedAddress('198.51.100.4', ['192.0.2.7'], proxies); // '198.51.100.4': not a proxy, so its claim is ignored
 * ```
 */
export function forwardedAddress(
  peer: string | undefined,
  forwardedFor: readonly string[],
  proxies: AddressList,
): string | undefined {
  const entries = forwardedFor.flatMap((value) => value.split(',')).map((entry) => entry.trim());
  let address = peer;
  for (const entry of entries.reverse()) {
    if (!proxies.includes(address) || isIP(entry) === 0) return address;
    address = entry;
  }
  return address;
}

const MAPPED_IPV4 = [0, 0, 0, 0, 0, 0xffff];
/** RFC 6052 section 2.1: how a translator presents IPv4 clients. */
const TRANSLATED_IPV4 = [0x64, 0xff9b, 0, 0, 0, 0];
/** RFC 3056 section 2: the holder of the IPv4 address holds the whole prefix. */
const SIX_TO_FOUR = 0x2002;

/**
 * The key under which a client is counted: an IPv4 address itself, or the /64 of an IPv6 address, because providers give each
 * customer at least a /64 (RFC 6177). IPv4 addresses written as IPv6 count as IPv4. Everything that is not an address counts as one client.
 *
 * @example
 * ```ts
 * import { networkOf } from '@behalf/http';
 *
 * networkOf('2001:db8:1:2:3::4'); // '2001:db8:1:2::/64'
 * networkOf('::ffff:192.0.2.7'); // '192.0.2.7'
 * ```
 */
export function networkOf(address: string | undefined): string {
  const bare = (address ?? '').split('%', 1)[0] ?? '';
  const version = isIP(bare);
  if (version === 4) return bare;
  const groups = version === 6 ? groupsOf(bare) : undefined;
  if (groups === undefined) return 'unknown';
  if (startsWith(groups, MAPPED_IPV4) || startsWith(groups, TRANSLATED_IPV4)) return ipv4Of(groups, 6);
  if (groups[0] === SIX_TO_FOUR) return ipv4Of(groups, 1);
  const network = groups.slice(0, 4).map((group) => group.toString(16));
  return `${network.join(':')}::/64`;
}

/** The eight groups. Parsing as a URL yields the canonical form (WHATWG URL, section 3.5). */
function groupsOf(address: string): readonly number[] | undefined {
  const written = URL.parse(`http://[${address}]/`)?.hostname.slice(1, -1);
  if (written === undefined) return undefined;
  const [head = [], tail = []] = written
    .split('::')
    .map((half) => (half === '' ? [] : half.split(':').map((group) => Number.parseInt(group, 16))));
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
}

function startsWith(groups: readonly number[], prefix: readonly number[]): boolean {
  return prefix.every((group, index) => groups[index] === group);
}

function ipv4Of(groups: readonly number[], at: number): string {
  const [high = 0, low = 0] = groups.slice(at, at + 2);
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}
