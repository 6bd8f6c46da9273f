/** Plain HTTP is safe only on this machine. Matches the whole name: 127.evil.example belongs to someone else. */
const LOCAL_HOST = /^(?:localhost|\[::1\]|127(?:\.\d+){3})$/;

export interface AddressRules {
  /** Lifts the rule against `http:`, for development. */
  readonly allowInsecure: boolean;
  /** Path of the option that sets `allowInsecure`, for the message about a configured address. */
  readonly exemption?: string;
  /**
   * The document that names the address. One received over TLS cannot lead to plain HTTP, not even on this machine: it could
   * make this process call what only this process can reach.
   */
  readonly namedBy?: string;
}

/**
 * Why keys, tokens and secrets must not be entrusted to an address; undefined if they may. One rule for configured addresses,
 * library options, and addresses from documents.
 */
export function addressProblem(address: string, rules: AddressRules): string | undefined {
  if (!URL.canParse(address)) return 'must be an absolute address';
  const { protocol, hostname, username, password } = new URL(address);
  if (username !== '' || password !== '') return 'must have no user information';
  if (protocol === 'https:') return undefined;
  if (protocol !== 'http:') return 'must be an https: address';
  const { allowInsecure, exemption, namedBy } = rules;
  if (allowInsecure) return undefined;
  const isDowngrade = namedBy !== undefined && new URL(namedBy).protocol === 'https:';
  if (LOCAL_HOST.test(hostname) && !isDowngrade) return undefined;
  const advice = exemption === undefined ? '' : `; for development only, ${exemption}: true permits http:`;
  return `must be an https: address${advice}`;
}

/** As {@link addressProblem}, for the identifier of an issuer (RFC 8414 section 2). */
export function issuerProblem(issuer: string, rules: AddressRules): string | undefined {
  const problem = addressProblem(issuer, rules);
  if (problem !== undefined) return problem;
  return /[?#]/.test(issuer) ? 'must have no query and no fragment (RFC 8414 section 2)' : undefined;
}
