import type { Configuration, KoaContextWithOIDC } from 'oidc-provider';

import { type Continuation, renderContinue, renderFormPost } from '../pages/continue.js';
import type { Languages } from '../language/languages.js';
import { languageOf } from '../language/request-language.js';
import type { PageLanguage } from '../pages/layout.js';
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
  readonly #languages: Languages;

  constructor(issuer: string, configuration: Configuration, languages: Languages) {
    super(issuer, configuration);
    this.#languages = languages;
  }

  /** oidc-provider's constructor calls this for each of its own modes, so the languages are not there yet. */
  override registerResponseMode(...[name, handler]: Parameters<RegisterResponseMode>): void {
    const language: LanguageFor = (ctx) =>
      languageOf(this.#languages, ctx.req, ctx.oidc.params?.['ui_locales']);
    super.registerResponseMode(
      name,
      name === 'form_post' ? respondByForm(language) : withPageAfterForm(handler, language),
    );
  }
}

type LanguageFor = (ctx: KoaContextWithOIDC) => PageLanguage;

/** The address is the one that oidc-provider redirects to: a registered redirect URI with the response's parameters. */
function withPageAfterForm(redirect: ResponseMode, language: LanguageFor): ResponseMode {
  return async (ctx, redirectUri, payload) => {
    await redirect(ctx, redirectUri, payload);
    const address = ctx.response.get('location');
    // Only the way back from our pages begins with a form.
    if (ctx.oidc.route !== 'resume' || address === '') return;
    ctx.remove('location');
    show(ctx, renderContinue(language(ctx), { address, clientName: ctx.oidc.client?.clientName }));
  };
}

/** OAuth 2.0 Form Post Response Mode */
function respondByForm(language: LanguageFor): ResponseMode {
  return (ctx, redirectUri, payload) => {
    const fields = Object.entries(payload).map(([name, value]) => ({ name, value: String(value) }));
    const page: Continuation = { address: redirectUri, clientName: ctx.oidc.client?.clientName };
    show(ctx, renderFormPost(language(ctx), page, fields), { sendsForm: true });
  };
}

function show(ctx: KoaContextWithOIDC, markup: string, options?: { readonly sendsForm: boolean }): void {
  setPageHeaders(ctx.res, options);
  ctx.status = 200;
  ctx.type = 'html';
  ctx.body = markup;
}
