import { isIPv4, isIPv6 } from 'node:net';
import { isGiven, readCount } from '../parameters.js';
import { byDetail, isText, needsType, ofText } from '../strategy.js';
import type { StrategyComparison } from '../strategy.js';
import type { GeneralizationDefinition } from './generalization.js';

export interface IpPrefixParameters {
  /** How many bits of an IPv4 address stay. */
  readonly ipv4: number;
  /** How many bits of an IPv6 address stay. */
  readonly ipv6: number;
}

const GROUPS = 8;
const GROUP_BITS = 16;

/** IP addresses by prefix: the other bits are 0. An address of the family that is not named loses all its bits. */
export const ipPrefix: GeneralizationDefinition<IpPrefixParameters> = {
  arguments: { ipv4: 'Int', ipv6: 'Int' },
  read: ({ ipv4, ipv6 }, coordinate) => ({
    ipv4: isGiven(ipv4) ? readCount(ipv4, 'ipv4', coordinate, [0, 32]) : 0,
    ipv6: isGiven(ipv6) ? readCount(ipv6, 'ipv6', coordinate, [0, 128]) : 0,
  }),
  compile: ({ ipv4, ipv6 }, { coordinate, typeName }) => {
    needsType(isTextual(typeName), 'GENERALIZE', 'String or ID', coordinate);
    return ofText((text) => {
      if (isIPv4(text)) return prefixOfIPv4(text, ipv4);
      if (!isIPv6(text) || text.includes('%')) return null;
      const groups = groupsOf(text);
      const embedded = ipv4Within(groups);
      // An IPv4 address that is written as an IPv6 one (RFC 4291 section 2.5.5.2) loses what it would lose as itself.
      if (embedded !== undefined) return `::ffff:${prefixOfIPv4(embedded, ipv4)}`;
      return writeIPv6(groups.map((group, index) => group & maskOf(ipv6 - index * GROUP_BITS, GROUP_BITS)));
    });
  },
  compare: (before, after): StrategyComparison => {
    const [four, six] = [byDetail(before.ipv4, after.ipv4), byDetail(before.ipv6, after.ipv6)];
    if (four === 'equal' || four === six) return six;
    return six === 'equal' ? four : 'incomparable';
  },
};

/** Custom scalars such as `IPAddress` are texts too; numbers and truth values are none. */
function isTextual(typeName: string): boolean {
  return isText(typeName) || !['Int', 'Float', 'Boolean'].includes(typeName);
}

/** The bits of a group of this width that stay. */
function maskOf(kept: number, width: number): number {
  const bits = Math.min(Math.max(kept, 0), width);
  return (2 ** bits - 1) * 2 ** (width - bits);
}

function prefixOfIPv4(text: string, kept: number): string {
  return text
    .split('.')
    .map((byte, index) => Number(byte) & maskOf(kept - index * 8, 8))
    .join('.');
}

function groupsOf(text: string): number[] {
  const last = text.slice(text.lastIndexOf(':') + 1);
  const bytes = last.split('.').map(Number);
  const tail =
    bytes.length === 4
      ? [(bytes[0] ?? 0) * 256 + (bytes[1] ?? 0), (bytes[2] ?? 0) * 256 + (bytes[3] ?? 0)]
      : [];
  const head = tail.length === 0 ? text : text.slice(0, text.length - last.length).replace(/([^:]):$/, '$1');
  const [before = '', after] = head.split('::');
  const left = numbersIn(before);
  const right = [...numbersIn(after ?? ''), ...tail];
  return after === undefined
    ? [...left, ...tail]
    : [...left, ...Array<number>(Math.max(GROUPS - left.length - right.length, 0)).fill(0), ...right];
}

function numbersIn(part: string): number[] {
  return part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
}

function ipv4Within(groups: readonly number[]): string | undefined {
  const [high, low] = groups.slice(6);
  if (high === undefined || low === undefined) return undefined;
  if (groups[5] !== 0xffff || groups.slice(0, 5).some((group) => group !== 0)) return undefined;
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** RFC 5952 section 4: lower case, the longest run of two zeros or more as `::`, the first one of equally long ones. */
function writeIPv6(groups: readonly number[]): string {
  const text = groups.map((group) => group.toString(16)).join(':');
  const runs = [...text.matchAll(/\b0(?::0)+\b/g)];
  const longest = runs.reduce<RegExpMatchArray | undefined>(
    (best, run) => (best === undefined || run[0].length > best[0].length ? run : best),
    undefined,
  );
  if (longest?.index === undefined) return text;
  const before = text.slice(0, longest.index).replace(/:$/, '');
  const after = text.slice(longest.index + longest[0].length).replace(/^:/, '');
  return `${before}::${after}`;
}
