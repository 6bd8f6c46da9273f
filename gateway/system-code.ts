/**
 * The code of a failure, such as `ECONNREFUSED`. Unlike a message, it says nothing of values.
 *
 * @param otherwise for an error without one; some libraries have the member, and nothing in it
 */
export function systemCode(error: unknown, otherwise: string): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && code !== '' ? code : otherwise;
}
