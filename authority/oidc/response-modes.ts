import type { KoaContextWithOIDC } from 'oidc-provider';

import { type Continuation, renderContinue, renderFormPost } from '../pages/continue.js';
import { setPageHeaders } from '../pages/headers.js';
import { Provider } from './oidc-provider.js';

type RegisterResponseMode = Provider['registerResponseMode'];
type ResponseMode = Parameters<RegisterResponseMode>[1];

/**
 * oidc-provider, except that a person who has submitted one of our forms returns to the application through a page of ours.
 * Chromium applies the form's `form-action` (CSP) to each redirect that follows, including those of the application's callback,
 * which nobody here knows, and no CSP can name an address such as `http://[::1]:4000`. A page ends that chain. See decision 0068.
 */
export class ProviderWithPages extends Provider {
  /** oidc-provider's constructor calls this for each of its own modes. */
  override registerResponseMode(...[name, handler]: Parameters<RegisterResponseMode>): void {
    super.registerResponseMode(name, name === 'form_post' ? respondByForm : withPageAfterForm(handler));
  }
}

/** The address is the one that oidc-provider redirects to: a registered redirect URI with the response's parameters. */
function withPageAfterForm(redirect: ResponseMode): ResponseMode {
  return async (ctx, redirectUri, payload) => {
    await redirect(ctx, redirectUri, payload);
    const address = ctx.response.get('location');
    // Only the way back from our pages begins with a form.
    if (ctx.oidc.route !== 'resume' || address === '') return;
    ctx.remove('location');
    show(ctx, renderContinue({ address, clientName: nameOf(ctx) }));
  };
}

/** OAuth 2.0 Form Post Response Mode */
const respondByForm: ResponseMode = (ctx, redirectUri, payload) => {
  const fields = Object.entries(payload).map(([name, value]) => ({ name, value: String(value) }));
  const page: Continuation = { address: redirectUri, clientName: nameOf(ctx) };
  show(ctx, renderFormPost(page, fields), { sendsForm: true });
};

function nameOf({ oidc }: KoaContextWithOIDC): string {
  return oidc.client?.clientName ?? 'the application';
}

function show(ctx: KoaContextWithOIDC, markup: string, options?: { readonly sendsForm: boolean }): void {
  setPageHeaders(ctx.res, options);
  ctx.status = 200;
  ctx.type = 'html';
  ctx.body = markup;
}
