import type { IncomingMessage } from 'node:http';

import { HttpError } from './respond.js';

/** Refuses any other method. With GET, HEAD is allowed (RFC 9110 section 9.3.2). @throws HttpError 405 */
export function allow({ method = '' }: IncomingMessage, ...methods: string[]): void {
  const allowed = methods.flatMap((each) => (each === 'GET' ? ['GET', 'HEAD'] : [each]));
  if (allowed.includes(method)) return;
  throw new HttpError(405, 'METHOD_NOT_ALLOWED', 'This address does not support the method', {
    allow: allowed.join(', '),
  });
}
