/**
 * Why a text is not the origin of a web page. Origins are compared as text, so each must be written as browsers send it. `*` and
 * `null` are not origins: the first means every page, and the second every page in a sandbox.
 *
 * @returns undefined for an origin
 *
 * @example
 * ```ts
 * import { originProblem } from '@behalf/http';
 *
 * console.log(originProblem('https://app.example/')); // must be an origin, without a path, …
 * ```
 */
export function originProblem(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:';
  if (url === undefined || !isWeb || url.host.includes('*'))
    return 'must be an origin, such as https://app.example';
  if (url.origin === text) return undefined;
  return `must be an origin, without a path, as browsers send it: did you mean ${url.origin}?`;
}
