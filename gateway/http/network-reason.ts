/** Reasons that an operator can act on, by the codes of Node, OpenSSL and undici. */
const REASONS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed, and not trusted',
  EAI_AGAIN: 'the name server does not answer',
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was closed',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ENOTFOUND: 'the host name is unknown',
  EPROTO: 'the server does not speak TLS there',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the server does not speak TLS there',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host',
  ETIMEDOUT: 'it does not answer in time',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate was issued by an authority that is not trusted',
  TimeoutError: 'it does not answer in time',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate was issued by an authority that is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate was issued by an authority that is not trusted',
  UND_ERR_CONNECT_TIMEOUT: 'it does not answer in time',
  UND_ERR_SOCKET: 'the connection was closed',
};

const MAX_CAUSES = 5;

/**
 * Why a request got no answer, for a person: `nothing listens there (ECONNREFUSED)`. `fetch` itself only says "fetch failed";
 * the reason is in its causes.
 */
export function networkReason(error: unknown): string {
  let code: string | undefined;
  let current = error;
  for (let depth = 0; depth < MAX_CAUSES && current instanceof Error; depth += 1) {
    const named = 'code' in current && typeof current.code === 'string' ? current.code : current.name;
    if (REASONS[named] !== undefined) return `${REASONS[named]} (${named})`;
    if ('code' in current) code = named;
    current = current.cause;
  }
  return code === undefined ? 'there is no answer' : `there is no answer (${code})`;
}
