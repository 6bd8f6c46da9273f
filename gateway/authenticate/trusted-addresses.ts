import { ConfigurationError } from '../errors.js';
import { requireAddress } from '../http/address.js';

interface IssuerAddresses {
  readonly issuer: string;
  readonly jwksUri?: string;
  readonly introspection?: { readonly endpoint: string };
  readonly allowInsecureIssuer?: boolean;
}

interface StreamAddresses {
  readonly issuer: string;
  readonly configurationUri?: string;
  readonly hosts?: readonly string[];
  readonly foreign?: { readonly deliveryEndpoint: string; readonly jwksUri?: string };
}

/**
 * Applies the one address rule to every configured address, in a file or from the library's caller. Keys come from these
 * addresses, and tokens and secrets go to them.
 *
 * @throws {ConfigurationError} with the path of the option
 */
export function requireTrustedAddresses(
  issuers: readonly IssuerAddresses[],
  streams: readonly StreamAddresses[],
): void {
  issuers.forEach(({ issuer, jwksUri, introspection, allowInsecureIssuer: allowInsecure = false }, index) => {
    const path = `issuers[${index}]`;
    requireAddress(issuer, `${path}.issuer`, { allowInsecure });
    if (jwksUri !== undefined) requireAddress(jwksUri, `${path}.jwksUri`, { allowInsecure });
    if (introspection !== undefined)
      requireAddress(introspection.endpoint, `${path}.introspection.endpoint`, { allowInsecure });
  });
  streams.forEach(({ issuer, configurationUri, hosts = [], foreign }, index) => {
    const path = `revocation.streams[${index}]`;
    const allowInsecure = issuers.some(
      (listed) => listed.issuer === issuer && listed.allowInsecureIssuer === true,
    );
    if (configurationUri !== undefined)
      requireAddress(configurationUri, `${path}.configurationUri`, { allowInsecure });
    hosts.forEach((host, position) => requireHost(host, `${path}.hosts[${position}]`));
    if (foreign === undefined) return;
    requireAddress(foreign.deliveryEndpoint, `${path}.foreign.deliveryEndpoint`, { allowInsecure });
    if (foreign.jwksUri !== undefined)
      requireAddress(foreign.jwksUri, `${path}.foreign.jwksUri`, { allowInsecure });
  });
}

/** A host for comparison: in lower case, with its port unless that is the scheme's default. */
function requireHost(host: string, path: string): void {
  const address = `https://${host}/`;
  if (!URL.canParse(address) || new URL(address).host !== host)
    throw new ConfigurationError(
      path,
      'must be a host in lower case, such as ssf.example or ssf.example:8443',
    );
}
