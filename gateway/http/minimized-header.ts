/** The request header by which a client asks which fields of its answer are minimized. */
export const MINIMIZED_HEADER = 'Behalf-Minimized';

/**
 * Whether a client asks for the paths of minimized fields: one member of the header's list (RFC 9110 section 5.6.1) is `paths`, in
 * any case. Other members are ignored, so that clients may ask for what an older gateway does not know, as in RFC 7240.
 *
 * @param headers of the request; undefined if the server does not pass them on
 */
export function asksForMinimized(
  headers: { get(name: string): string | null | undefined } | undefined,
): boolean {
  const value = headers?.get(MINIMIZED_HEADER.toLowerCase());
  return value?.split(',').some((member) => member.trim().toLowerCase() === 'paths') ?? false;
}
