import type { KoaContextWithOIDC, Provider } from 'oidc-provider';

/** The metadata, at both addresses, and the JWKS. */
const PUBLIC_DOCUMENTS: ReadonlySet<string> = new Set(['discovery', 'jwks']);

/**
 * Without this header, caches may choose the lifetime themselves (RFC 9111 section 4.2.2). A minute is short compared with the
 * time that a key is published before it signs, and a withdrawn key leaves every cache within it.
 */
const KEPT_SECONDS = 60;

/** Sets how long metadata and keys may be cached. */
export function limitCaching(provider: Provider): void {
  provider.use(async (context, next) => {
    await next();
    const ctx = context as Partial<KoaContextWithOIDC> & typeof context;
    if (ctx.status === 200 && PUBLIC_DOCUMENTS.has(ctx.oidc?.route ?? '')) {
      ctx.set('cache-control', `public, max-age=${KEPT_SECONDS}`);
    }
  });
}
