import type { GatewayLog } from '../log.js';
import type { SubgraphHeaders } from './subgraph-headers.js';

/**
 * Warns, at the start, of each header that one subgraph trusts as an identity while another gets it from the client: whoever
 * configured both may believe that the gateway states it to both.
 */
export function logForwardedIdentities(
  headers: ReadonlyMap<string, Pick<SubgraphHeaders, 'identityNames' | 'forwardedNames'>>,
  log: GatewayLog,
): void {
  const trustedBy = new Map<string, string[]>();
  for (const [subgraph, { identityNames }] of headers)
    for (const name of identityNames) trustedBy.set(name, [...(trustedBy.get(name) ?? []), subgraph]);
  for (const [subgraph, { forwardedNames }] of headers) {
    for (const header of forwardedNames) {
      const others = trustedBy.get(header);
      if (others === undefined) continue;
      log.log('warn', 'IDENTITY_HEADER_FORWARDED', { subgraph, header, identityAt: others.join(' ') });
    }
  }
}
