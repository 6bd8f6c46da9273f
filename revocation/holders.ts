import type { ActorClaim, Delegation } from '@behalf/directives';

/**
 * Every client that a token depends on: the one it was issued to, and those that act through it (RFC 8693 section 4.1). If any
 * of them is revoked or suspended, so is the token.
 */
export function holdersOf({ clientId, actor }: Delegation): readonly string[] {
  const holders = new Set([clientId]);
  for (let acting: ActorClaim | undefined = actor; acting !== undefined; acting = acting.act) {
    holders.add(acting.sub);
  }
  return [...holders];
}
