import type { KoaContextWithOIDC, Provider } from 'oidc-provider';

/**
 * When somebody signs in while another person is signed in with the same browser, oidc-provider sends a page that ends the other
 * session by an inline script, together with the tokens that the same applications hold through that person's other browsers.
 * Our page asks instead (interaction/replace-session.ts).
 */
export function askBeforeReplacing(provider: Provider): void {
  provider.use(async (context, next) => {
    await next();
    const ctx = context as Partial<KoaContextWithOIDC> & typeof context;
    const { oidc } = ctx;
    const interaction = oidc?.entities.Interaction;
    if (oidc?.route !== 'resume' || ctx.status !== 200 || interaction === undefined) return;
    const subject = interaction.result?.login?.accountId;
    const present = oidc.session?.accountId;
    if (subject === undefined || present === undefined || present === subject) return;
    ctx.redirect(`/interaction/${interaction.uid}`);
    ctx.status = 303;
    ctx.body = '';
  });
}
