import { addressProblem } from '@behalf/http/internal';
import { streamProblem } from '@behalf/revocation/internal';
import type { StreamAddresses } from '@behalf/revocation/internal';
import { ConfigurationError } from '../errors.js';

interface IssuerAddresses {
  readonly issuer: string;
  readonly jwksUri?: string;
  readonly introspection?: { readonly endpoint: string };
  readonly allowInsecureIssuer?: boolean;
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
  issuers.forEach(({ issuer, jwksUri, introspection, allowInsecureIssuer = false }, index) => {
    const path = `issuers[${index}]`;
    const addresses = { issuer, jwksUri, 'introspection.endpoint': introspection?.endpoint };
    for (const [key, address] of Object.entries(addresses)) {
      if (address === undefined) continue;
      const exemption = `${path}.allowInsecureIssuer`;
      const problem = addressProblem(address, { allowInsecure: allowInsecureIssuer, exemption });
      if (problem !== undefined) throw new ConfigurationError(`${path}.${key}`, problem);
    }
  });
  streams.forEach((stream, index) => {
    const position = issuers.findIndex(({ issuer }) => issuer === stream.issuer);
    const found = streamProblem(stream, {
      allowInsecure: issuers[position]?.allowInsecureIssuer === true,
      exemption: `issuers[${position}].allowInsecureIssuer`,
    });
    if (found !== undefined)
      throw new ConfigurationError(`revocation.streams[${index}].${found.key}`, found.problem);
  });
}
