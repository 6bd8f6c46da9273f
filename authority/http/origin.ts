import type { IncomingMessage } from 'node:http';

import { HttpError } from './respond.js';

/** Refuses forms from other sites (CSRF). Our SameSite=Lax cookies already do; this is a second defence. @throws HttpError */
export function refuseForeignOrigin(request: IncomingMessage, issuer: string): void {
  const { origin } = request.headers;
  const site = request.headers['sec-fetch-site'];
  const foreign = origin !== undefined && origin !== new URL(issuer).origin;
  if (foreign || (site !== undefined && site !== 'same-origin')) {
    throw new HttpError(403, 'invalid_request', 'The form was sent from another site');
  }
}
