import type { IncomingMessage } from 'node:http';

/** RFC 6265 section 5.4. Of several of one name the first, which is the one of the longest path. */
export function cookieIn(request: IncomingMessage, name: string): string | undefined {
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const [found, ...value] = pair.trim().split('=');
    if (found === name) return value.join('=');
  }
  return undefined;
}
