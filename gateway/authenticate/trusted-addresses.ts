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
    requireAddress(issuer, `${path}.issuer`, allowInsecureIssuer);
    requireAddress(jwksUri, `${path}.jwksUri`, allowInsecureIssuer);
    requireAddress(introspection?.endpoint, `${path}.introspection.endpoint`, allowInsecureIssuer);
  });
  streams.forEach((stream, index) => {
    const isInsecure = issuers.some(
      ({ issuer, allowInsecureIssuer }) => issuer === stream.issuer && allowInsecureIssuer === true,
    );
    const found = streamProblem(stream, isInsecure);
    if (found !== undefined)
      throw new ConfigurationError(`revocation.streams[${index}].${found.key}`, found.problem);
  });
}

/** @throws {ConfigurationError} for an untrusted address */
function requireAddress(address: string | undefined, path: string, allowInsecure: boolean): void {
  const problem = address === undefined ? undefined : addressProblem(address, { allowInsecure });
  if (problem !== undefined) throw new ConfigurationError(path, problem);
}
