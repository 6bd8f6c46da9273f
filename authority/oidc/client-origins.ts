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
 */
export function replaceCorsHeaders(provider: Provider, cors: Cors): void {
  provider.use(async (ctx, next) => {
    try {
      await next();
    } finally {
      cors.setHeaders(ctx.req, ctx.res, ctx.path);
    }
  });
}
