import type { ServerResponse } from 'node:http';

/**
 * Sets the headers of every page: no scripts, styles only from here, no framing, no caching.
 *
 * @param formTargets further origins or schemes that a form may lead to, because browsers apply `form-action` to redirects as well
 */
export function setPageHeaders(response: ServerResponse, formTargets: readonly string[] = []): void {
  const policy = [
    "default-src 'none'",
    "style-src 'self'",
    `form-action ${["'self'", ...formTargets].join(' ')}`,
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

/** The form target to allow for a redirect address: its origin, or an application's private scheme. */
export function formTargetOf(redirectUri: unknown): readonly string[] {
  const url = typeof redirectUri === 'string' ? URL.parse(redirectUri) : null;
  if (url === null) return [];
  return url.origin === 'null' ? [url.protocol] : [url.origin];
}
