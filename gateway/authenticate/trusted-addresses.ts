import { addressProblem, issuerProblem } from '@behalf/http/internal';
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
  issuers.forEach((each, index) => {
    const { issuer, jwksUri, introspection, allowInsecureIssuer: allowInsecure = false } = each;
    const path = `issuers[${index}]`;
    const rules = { allowInsecure, exemption: `${path}.allowInsecureIssuer` };
    refuse(`${path}.issuer`, issuerProblem(issuer, rules));
    const addresses = { jwksUri, 'introspection.endpoint': introspection?.endpoint };
    for (const [key, address] of Object.entries(addresses))
      if (address !== undefined) refuse(`${path}.${key}`, addressProblem(address, rules));
  });
  streams.forEach((stream, index) => {
    const path = `revocation.streams[${index}]`;
    const position = issuers.findIndex(({ issuer }) => issuer === stream.issuer);
    // Tokens of an issuer without a stream are not checked for revocation: a mistyped name would leave them so.
    if (position === -1) throw new ConfigurationError(`${path}.issuer`, 'is not one of the issuers');
    const found = streamProblem(stream, {
      allowInsecure: issuers[position]?.allowInsecureIssuer === true,
      exemption: `issuers[${position}].allowInsecureIssuer`,
    });
    if (found !== undefined) refuse(`${path}.${found.key}`, found.problem);
  });
}

function refuse(path: string, problem: string | undefined): void {
  if (problem !== undefined) throw new ConfigurationError(path, problem);
}
