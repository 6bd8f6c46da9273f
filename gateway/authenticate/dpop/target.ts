/**
 * An http(s) address by the characters that a URI may have (RFC 3986 appendix A). The parser would mend, or take out, others,
 * and find a host where there is none.
 */
const HTTP_URI = /^https?:\/\/(?!\/)[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]+$/i;
const PERCENT_ENCODED = /%([0-9A-Fa-f]{2})/g;
const MALFORMED_PERCENT = /%(?![0-9A-Fa-f]{2})/;
const UNRESERVED = /^[A-Za-z0-9\-._~]$/;

/**
 * An HTTP address for comparison (RFC 9449 section 4.3, check 9): without query and fragment, after the normalizations of
 * RFC 3986 sections 6.2.2 and 6.2.3. Scheme and host in lower case, no default port, dot segments and the empty path
 * resolved (all by the WHATWG parser); percent-encoded octets in upper case, and decoded where they stand for an unreserved
 * character.
 *
 * @returns undefined for what is no absolute http(s) address, or holds user information.
 */
export function normalizedTarget(address: string): string | undefined {
  if (!HTTP_URI.test(address) || MALFORMED_PERCENT.test(address) || !URL.canParse(address)) return undefined;
  // First decoded: an encoded dot is a dot segment as well.
  const { protocol, username, password, host, pathname } = new URL(withNormalOctets(address));
  if (username !== '' || password !== '') return undefined;
  return `${protocol}//${host}${pathname}`;
}

function withNormalOctets(address: string): string {
  return address.replaceAll(PERCENT_ENCODED, (octet, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return UNRESERVED.test(character) ? character : octet.toUpperCase();
  });
}
