import { ConfigurationError } from '../errors.js';
import { requireAddress } from '../http/address.js';
import type { ConfiguredAddressRules } from '../http/address.js';

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
    const rules = { allowInsecure, exemption: `${path}.allowInsecureIssuer` };
    requireAddress(issuer, `${path}.issuer`, rules);
    if (jwksUri !== undefined) requireAddress(jwksUri, `${path}.jwksUri`, rules);
    if (introspection !== undefined)
      requireAddress(introspection.endpoint, `${path}.introspection.endpoint`, rules);
  });
  streams.forEach((stream, index) => {
    const position = issuers.findIndex(({ issuer }) => issuer === stream.issuer);
    requireStreamAddresses(stream, `revocation.streams[${index}]`, {
      allowInsecure: issuers[position]?.allowInsecureIssuer === true,
      exemption: `issuers[${position}].allowInsecureIssuer`,
    });
  });
}

/** The same for one stream. Its issuer is checked apart. @throws {ConfigurationError} */
export function requireStreamAddresses(
  { configurationUri, hosts = [], foreign }: StreamAddresses,
  path: string,
  rules: ConfiguredAddressRules,
): void {
  if (configurationUri !== undefined) requireAddress(configurationUri, `${path}.configurationUri`, rules);
  hosts.forEach((host, index) => requireHost(host, `${path}.hosts[${index}]`));
  if (foreign === undefined) return;
  requireAddress(foreign.deliveryEndpoint, `${path}.foreign.deliveryEndpoint`, rules);
  if (foreign.jwksUri !== undefined) requireAddress(foreign.jwksUri, `${path}.foreign.jwksUri`, rules);
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
