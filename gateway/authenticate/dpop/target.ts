/**
 * An http(s) address in the characters of a URI (RFC 3986 appendix A). The parser would repair or drop others, and find a host
 * where there is none.
 */
const HTTP_URI = /^https?:\/\/(?!\/)[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]+$/i;
const PERCENT_ENCODED = /%([0-9A-Fa-f]{2})/g;
const MALFORMED_PERCENT = /%(?![0-9A-Fa-f]{2})/;
const UNRESERVED = /^[A-Za-z0-9\-._~]$/;

/**
 * Normalizes an HTTP address for comparison (RFC 9449 section 4.3, check 9), without query and fragment, by RFC 3986 sections
 * 6.2.2 and 6.2.3. The WHATWG parser lower-cases scheme and host, drops the default port, and resolves dot segments and the
 * empty path. Percent-encoded octets are upper-cased, and decoded if they stand for an unreserved character.
 *
 * @returns undefined for what is not an absolute http(s) address, or has user information
 */
export function normalizedTarget(address: string): string | undefined {
  if (!HTTP_URI.test(address) || MALFORMED_PERCENT.test(address) || !URL.canParse(address)) return undefined;
  // Decoding comes first, because an encoded dot is a dot segment as well.
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
