import type { ServerResponse } from 'node:http';

/**
 * Sets the headers of every page: no scripts, styles and forms only from and to here, no framing, no caching.
 *
 * @param options.sendsForm for the page that posts a response to the application: its form leads there and on to wherever the
 *   application redirects, and a script from here sends it
 */
export function setPageHeaders(
  response: ServerResponse,
  { sendsForm = false }: { readonly sendsForm?: boolean } = {},
): void {
  const policy = [
    "default-src 'none'",
    "style-src 'self'",
    sendsForm ? "script-src 'self'" : "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ];
  response.setHeader('content-security-policy', policy.join('; '));
  response.setHeader('x-frame-options', 'DENY');
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('referrer-policy', 'same-origin');
  response.setHeader('cache-control', 'no-store');
  response.setHeader('content-type', 'text/html; charset=utf-8');
}

/** Answers with a page. The length is stated, because `node:http` counts nothing for HEAD. */
export function sendPage(response: ServerResponse, markup: string): void {
  response.setHeader('content-length', Buffer.byteLength(markup));
  response.end(markup);
}
