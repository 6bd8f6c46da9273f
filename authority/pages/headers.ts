import type { ServerResponse } from 'node:http';

/**
 * The headers of every page: no scripts at all, styles from here only, in nobody's frame, in no cache.
 *
 * @param formTargets origins or schemes that a form of the page may end at, beside our own: browsers hold
 * the redirects after a submitted form against `form-action`, too
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

/** What to allow as a form's target for this redirect address: its origin, or the scheme of an application's own. */
export function formTargetOf(redirectUri: unknown): readonly string[] {
  const url = typeof redirectUri === 'string' ? URL.parse(redirectUri) : null;
  if (url === null) return [];
  return url.origin === 'null' ? [url.protocol] : [url.origin];
}
