import { errors } from './oidc-provider.js';
import type { SuspensionRegister } from '../consent/suspensions.js';

/**
 * Refuses everything to a suspended client: codes, and tokens by any grant. The errors do not make it discard what it has, which
 * works again when the client is resumed.
 *
 * @throws errors.TemporarilyUnavailable, errors.UnauthorizedClient (RFC 6749 sections 4.1.2.1 and 5.2)
 */
export async function refuseSuspended(
  suspensions: SuspensionRegister,
  clientId: string | undefined,
): Promise<void> {
  for (const { target } of await suspensions.standing()) {
    if (target.kind === 'everything') throw new errors.TemporarilyUnavailable('nothing is issued at present');
    if (target.kind === 'client' && target.clientId === clientId) {
      throw new errors.UnauthorizedClient('the application is suspended');
    }
  }
}

/** The suspended scopes, which are currently neither issued nor offered. */
export async function stoppedScopes(suspensions: SuspensionRegister): Promise<ReadonlySet<string>> {
  const standing = await suspensions.standing();
  return new Set(standing.flatMap(({ target }) => (target.kind === 'scope' ? [target.scope] : [])));
}

/** Whether a token that depends on these clients is currently suspended. */
export async function isSuspended(
  suspensions: SuspensionRegister,
  clientIds: readonly string[],
): Promise<boolean> {
  const standing = await suspensions.standing();
  return standing.some(
    ({ target }) =>
      target.kind === 'everything' || (target.kind === 'client' && clientIds.includes(target.clientId)),
  );
}
