import { addressProblem, issuerProblem } from '@behalf/http/internal';
import type { AddressRules } from '@behalf/http/internal';

/** The addresses of a stream's options. */
export interface StreamAddresses {
  readonly issuer: string;
  readonly configurationUri?: string;
  readonly hosts?: readonly string[];
  readonly foreign?: { readonly deliveryEndpoint: string; readonly jwksUri?: string };
}

/** An option that cannot be used. */
export interface StreamProblem {
  /** Within the stream's options, such as `foreign.jwksUri`. */
  readonly key: string;
  readonly problem: string;
}

/**
 * The first address of a stream that keys must not come from, or secrets go to; undefined if there is none. A gateway and
 * `watchRevocations` check their streams by this one rule.
 */
export function streamProblem(
  { issuer, configurationUri, hosts = [], foreign }: StreamAddresses,
  rules: Omit<AddressRules, 'namedBy'>,
): StreamProblem | undefined {
  const unusable = issuerProblem(issuer, rules);
  if (unusable !== undefined) return { key: 'issuer', problem: unusable };
  const addresses: readonly (readonly [string, string | undefined])[] = [
    ['configurationUri', configurationUri],
    ['foreign.deliveryEndpoint', foreign?.deliveryEndpoint],
    ['foreign.jwksUri', foreign?.jwksUri],
  ];
  for (const [key, address] of addresses) {
    const problem = address === undefined ? undefined : addressProblem(address, rules);
    if (problem !== undefined) return { key, problem };
  }
  const index = hosts.findIndex((host) => !isHost(host));
  if (index === -1) return undefined;
  return {
    key: `hosts[${index}]`,
    problem: 'must be a host in lower case, such as ssf.example or ssf.example:8443',
  };
}

/** As addresses have it, so that they can be compared: in lower case, with the port unless it is the scheme's default. */
function isHost(host: string): boolean {
  const address = `https://${host}/`;
  return URL.canParse(address) && new URL(address).host === host;
}
