import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Provider } from 'oidc-provider';

import type { ConsentRegister } from '../consent/register.js';
import { allow } from '../http/methods.js';
import { refuseForeignOrigin } from '../http/origin.js';
import type { Languages } from '../language/languages.js';
import { languageOf } from '../language/request-language.js';
import { sendPage, setPageHeaders } from '../pages/headers.js';
import { renderSignedOut, renderSignOut } from '../pages/sign-out.js';

export const SIGN_OUT_PATH = '/sign-out';

/** @see SignOut */
export interface SignOutOptions {
  readonly issuer: string;
  readonly provider: Provider;
  readonly consents: ConsentRegister;
  readonly languages: Languages;
}

/**
 * The page where a person signs this browser out: the session, and all tokens issued under it, end everywhere. (oidc-provider's
 * own logout would also end what the same applications hold through the person's other browsers.)
 */
export class SignOut {
  readonly #options: SignOutOptions;

  constructor(options: SignOutOptions) {
    this.#options = options;
  }

  /** @returns whether the path is this page's, and was answered @throws HttpError */
  async handle(request: IncomingMessage, response: ServerResponse, url: URL): Promise<boolean> {
    if (url.pathname !== SIGN_OUT_PATH) return false;
    allow(request, 'GET', 'POST');
    const language = languageOf(this.#options.languages, request);
    if (request.method === 'POST') {
      refuseForeignOrigin(request, this.#options.issuer);
      await this.#signOut(request, response);
      show(response, renderSignedOut(language));
    } else show(response, renderSignOut(language, SIGN_OUT_PATH));
    return true;
  }

  /** The cookie stays but is useless, because the session is gone from the store. */
  async #signOut(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { consents, provider } = this.#options;
    const { accountId, uid } = await provider.Session.get(provider.createContext(request, response));
    if (accountId === undefined) return;
    await consents.revokeSession(uid, { by: accountId, initiator: 'user', reason: 'signed out' });
  }
}

function show(response: ServerResponse, markup: string): void {
  setPageHeaders(response);
  sendPage(response, markup);
}
