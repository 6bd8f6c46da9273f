import type { IncomingMessage } from 'node:http';

/** A request's target, without scheme and host. */
export interface RequestTarget {
  /** `*` for `OPTIONS *`; whatever was sent for a target that is not an address. */
  readonly path: string;
  /** With its `?`; empty if there is no query. */
  readonly search: string;
}

/** RFC 9112 section 3.2.2. */
const ORIGIN = /^https?:\/\/[^/?#]+/i;

/**
 * What a request asks for. A server has to accept the absolute form, and its scheme and host say nothing about how the server is
 * reached: its sender chose them. Split by hand, because `URL` throws for targets such as `//`, and changes others.
 */
export function requestTarget({ url = '/' }: Pick<IncomingMessage, 'url'>): RequestTarget {
  const target = url.replace(ORIGIN, '');
  const start = target.indexOf('?');
  const path = start === -1 ? target : target.slice(0, start);
  return { path: path === '' ? '/' : path, search: start === -1 ? '' : target.slice(start) };
}

const NOT_ASCII = /[^\x00-\x7f]/;

/**
 * Whether a query is UTF-8 in percent-encoding (RFC 3986 section 2.5). `URLSearchParams` replaces whatever is not, so another
 * value would be read than was sent.
 */
export function isEncodedText(search: string): boolean {
  if (NOT_ASCII.test(search)) return false;
  try {
    decodeURIComponent(search);
    return true;
  } catch {
    return false;
  }
}
