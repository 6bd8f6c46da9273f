/**
 * The codings of a `Content-Encoding` (RFC 9110 section 8.4), in lower case and in their order, without `identity`, which changes
 * nothing.
 */
export function contentCodings(header: string | readonly string[] | undefined): readonly string[] {
  return [header ?? '']
    .flat()
    .join(',')
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== '' && coding !== 'identity');
}
