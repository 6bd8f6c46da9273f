import type { Configuration, Provider } from 'oidc-provider';

import type { Cors } from '../http/cors.js';
import { ORIGINS_MEMBER } from './client-metadata.js';

/** Whether a web page of this origin may use the client. */
export const mayUseClient: NonNullable<Configuration['clientBasedCORS']> = (_ctx, origin, client) => {
  const origins = client.metadata()[ORIGINS_MEMBER];
  return Array.isArray(origins) && origins.includes(origin);
};

/**
 * Replaces oidc-provider's CORS headers, which permit any origin until the client is known, and withhold them from a refusal that
 * the preflight has promised.
 *
 * oidc-provider asks {@link mayUseClient} only while a response has no CORS headers, so it is given one without.
 */
export function replaceCorsHeaders(provider: Provider, cors: Cors): void {
  provider.use(async (ctx, next) => {
    cors.removeHeaders(ctx.res);
    try {
      await next();
    } finally {
      cors.setHeaders(ctx.req, ctx.res, ctx.path);
    }
  });
}
