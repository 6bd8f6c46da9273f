import type { KoaContextWithOIDC, Provider } from 'oidc-provider';

/** Metadata, at both of its addresses, and the keys. */
const PUBLIC_DOCUMENTS: ReadonlySet<string> = new Set(['discovery', 'jwks']);

/**
 * RFC 9111 section 4.2.2: without a word about it, caches may keep an answer for as long as they think right. A minute is short
 * beside the time that a key is published before it signs, and a key that was withdrawn is gone from every cache after it.
 */
const KEPT_SECONDS = 60;

/** Says of metadata and keys how long they may be kept. */
export function limitCaching(provider: Provider): void {
  provider.use(async (context, next) => {
    await next();
    const ctx = context as Partial<KoaContextWithOIDC> & typeof context;
    if (ctx.status === 200 && PUBLIC_DOCUMENTS.has(ctx.oidc?.route ?? '')) {
      ctx.set('cache-control', `public, max-age=${KEPT_SECONDS}`);
    }
  });
}
