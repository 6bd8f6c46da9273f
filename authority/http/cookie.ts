import type { IncomingMessage } from 'node:http';

/** The first cookie of that name, which is the one with the longest path (RFC 6265 section 5.4). */
export function cookieIn(request: IncomingMessage, name: string): string | undefined {
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const [found, ...value] = pair.trim().split('=');
    if (found === name) return value.join('=');
  }
  return undefined;
}
