import type { Provider } from 'oidc-provider';

/**
 * Leaves what oidc-provider would answer in bare text to the caller of its handler: unknown addresses, with the response's status
 * 404, and failures outside of its own error handling, with 500. Nothing is sent then.
 */
export function leaveUnanswered(provider: Provider): void {
  provider.use(async (ctx, next) => {
    try {
      await next();
      if (ctx.status === 404 && (ctx.body === undefined || ctx.body === null)) ctx.respond = false;
    } catch (error) {
      provider.emit('server_error', ctx, error instanceof Error ? error : new Error('unknown'));
      ctx.respond = false;
      ctx.res.statusCode = 500;
    }
  });
}
