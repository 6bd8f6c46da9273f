import { ConfigurationError } from '../errors.js';

/** Only on this machine does plain HTTP reach nobody else. Matches the whole name: 127.evil.example is somebody's. */
const LOCAL_HOST = /^(?:localhost|\[::1\]|127(?:\.\d+){3})$/;

export interface AddressRules {
  /** Lifts the rule against `http:`, for development. */
  readonly allowInsecure: boolean;
  /**
   * The document that names the address. One that came over TLS cannot lead away from it, not even to this machine: it would
   * have the gateway ask what only the gateway can reach.
   */
  readonly namedBy?: string;
}

/**
 * Why keys, tokens and secrets must not be entrusted to an address; undefined when they may be. It is one rule for what is
 * configured, given to the library, and found in a document.
 */
export function addressProblem(
  address: string,
  { allowInsecure, namedBy }: AddressRules,
): string | undefined {
  if (!URL.canParse(address)) return 'must be an absolute address';
  const { protocol, hostname, username, password } = new URL(address);
  if (username !== '' || password !== '') return 'must have no user information';
  if (protocol === 'https:') return undefined;
  if (protocol !== 'http:') return 'must be an https: address';
  if (allowInsecure) return undefined;
  const isDowngrade = namedBy !== undefined && new URL(namedBy).protocol === 'https:';
  if (LOCAL_HOST.test(hostname) && !isDowngrade) return undefined;
  return 'must be an https: address (allowInsecureIssuer lifts this)';
}

/** @throws {ConfigurationError} for an address that is not to be trusted */
export function requireAddress(address: string, path: string, rules: AddressRules): void {
  const problem = addressProblem(address, rules);
  if (problem !== undefined) throw new ConfigurationError(path, problem);
}
