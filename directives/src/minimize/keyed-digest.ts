import { createHmac } from 'node:crypto';

/**
 * A digest of 256 bits under the subgraph's key: the same for the same client and parts. Lengths are part of the input, so that
 * different parts never concatenate alike.
 */
export type KeyedDigest = (clientId: string, ...parts: readonly string[]) => Buffer;

/** @param domain what digests of the same parts differ by, such as the coordinate of a field */
export function keyedDigest(key: Uint8Array, domain: string): KeyedDigest {
  return (clientId, ...parts) =>
    createHmac('sha256', key)
      .update([domain, clientId, ...parts].map((part) => `${part.length}:${part}`).join(''))
      .digest();
}
