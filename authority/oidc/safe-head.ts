import type { Provider } from 'oidc-provider';
import { setPageHeaders } from '../pages/headers.js';

/** The way back from our pages to oidc-provider, which matches its paths case-insensitively. */
const WAY_BACK = /^\/auth\/([^/]+)\/?$/i;
const AUTHORIZATION = /^\/auth\/?$/i;
/** RFC 9126 section 2.2, as oidc-provider names pushed requests. */
const PUSHED = 'urn:ietf:params:oauth:request_uri:';

/**
 * HEAD is safe (RFC 9110 section 9.2.1), but oidc-provider answers it as GET: the person's answer, or the pushed request, would be
 * used up, and whoever follows with GET would be refused. Such a HEAD gets what is known of the response without making it.
 */
export function keepHeadSafe(provider: Provider): void {
  provider.use(async (ctx, next) => {
    const isUsedOnce = ctx.method === 'HEAD' && (await usesUp(provider, ctx.path, ctx.query['request_uri']));
    if (!isUsedOnce) {
      await next();
      return;
    }
    ctx.respond = false;
    setPageHeaders(ctx.res);
    ctx.res.writeHead(200).end();
  });
}

async function usesUp(provider: Provider, path: string, requestUri: unknown): Promise<boolean> {
  const [, interaction] = WAY_BACK.exec(path) ?? [];
  if (interaction !== undefined) return (await provider.Interaction.find(interaction)) !== undefined;
  if (!AUTHORIZATION.test(path) || typeof requestUri !== 'string' || !requestUri.startsWith(PUSHED))
    return false;
  return (await provider.PushedAuthorizationRequest.find(requestUri.slice(PUSHED.length))) !== undefined;
}
