import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Interaction, InteractionResults, Provider } from 'oidc-provider';

import { isGetOrHead } from '@behalf/http';
import type { Account, AccountRegister } from '../accounts/register.js';
import { KNOWN_BROWSER_COOKIE, KNOWN_BROWSER_SECONDS } from '../accounts/known-browsers.js';
import type { SignIn, SignInResult } from '../accounts/sign-in.js';
import type { ClientDirectory } from '../clients/directory.js';
import type { ClientRegistration } from '../client-registration.js';
import { databaseNow } from '../consent/clock.js';
import { readForm } from '../http/body.js';
import type { ClientNetworks } from '../http/client-networks.js';
import { cookieIn } from '../http/cookie.js';
import { allow } from '../http/methods.js';
import { refuseForeignOrigin } from '../http/origin.js';
import { HttpError } from '../http/respond.js';
import { errors } from '../oidc/oidc-provider.js';
import { PASSWORD_ACR } from '../oidc/sign-in.js';
import type { AskingLanguage, Languages } from '../language/languages.js';
import { languageOf } from '../language/request-language.js';
import { renderConsent } from '../pages/consent.js';
import { sendPage, setPageHeaders } from '../pages/headers.js';
import { renderOtherPerson } from '../pages/other-person.js';
import { renderSignIn, type SignInView } from '../pages/sign-in.js';
import type { AuthorityDatabase } from '../schema.js';
import { readDecision } from './decision.js';
import { asksForAnother, namedPerson } from './named-person.js';
import { askNow, type Question, type QuestionOptions } from './question.js';
import { recordUnchanged } from './record-unchanged.js';
import { repeatsAgreement } from './repeated.js';
import { otherSession, replaceSession, signedInHere } from './replace-session.js';

const MAX_FORM_BYTES = 16 * 1024;

const REFUSAL_STATUS = { wrong: 401, 'another-person': 401, throttled: 429, busy: 503 } as const;

/** @see InteractionRoutes */
export interface InteractionOptions extends QuestionOptions {
  readonly issuer: string;
  readonly provider: Provider;
  readonly db: AuthorityDatabase;
  readonly accounts: AccountRegister;
  readonly signIn: SignIn;
  readonly networks: ClientNetworks;
  readonly clients: ClientDirectory;
  /** Those in force now, with the policy in each. */
  readonly languages: Languages;
}

/** How often a decision is read again because the consent that it is about was changed at the same moment. */
const MAX_ATTEMPTS = 3;

const NOTHING_TO_GRANT: InteractionResults = {
  error: 'invalid_scope',
  error_description: 'None of the requested scopes can be granted',
};

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly interaction: Interaction;
  readonly client: ClientRegistration;
  readonly language: AskingLanguage;
}

/**
 * The two pages where a person signs in and decides: /interaction/{uid}. A cookie binds each interaction to the browser that
 * began it.
 */
export class InteractionRoutes {
  readonly #options: InteractionOptions;

  constructor(options: InteractionOptions) {
    this.#options = options;
  }

  /** @returns whether the path is one of these pages, and was answered @throws HttpError */
  async handle(request: IncomingMessage, response: ServerResponse, url: URL): Promise<boolean> {
    if (!/^\/interaction\/[\w-]{1,64}$/.test(url.pathname)) return false;
    allow(request, 'GET', 'POST');
    const interaction = await this.#options.provider.interactionDetails(request, response);
    if (`/interaction/${interaction.uid}` !== url.pathname) {
      throw new errors.SessionNotFound('This page belongs to another request');
    }
    const client = await this.#options.clients.find(interaction.params['client_id']);
    if (client === undefined) throw new errors.InvalidClient('The application is not known');
    const language = languageOf(this.#options.languages, request, interaction.params['ui_locales']);
    const exchange: Exchange = { request, response, interaction, client, language };
    if (request.method === 'POST') refuseForeignOrigin(request, this.#options.issuer);
    const subject = signedInHere(interaction);
    if (interaction.prompt.name === 'login' && subject !== undefined) await this.#goOnAs(exchange, subject);
    else if (interaction.prompt.name === 'login') await this.#signIn(exchange);
    else if (interaction.prompt.name === 'consent') await this.#consent(exchange);
    else throw new HttpError(400, 'invalid_request', 'This request cannot be answered here');
    return true;
  }

  /** After the password: if another person is signed in with this browser, only on request, because it signs them out. */
  async #goOnAs(exchange: Exchange, subject: string): Promise<void> {
    const { interaction, request, response } = exchange;
    const sessionId = await otherSession(this.#options, request, response, subject);
    if (sessionId === undefined) {
      goTo(response, interaction.returnTo);
      return;
    }
    if (isGetOrHead(request)) {
      const account = await this.#options.accounts.find(subject);
      const action = `/interaction/${interaction.uid}`;
      const view = { action, personName: account?.displayName };
      show(exchange, 200, renderOtherPerson(exchange.language, view));
      return;
    }
    const form = await readForm(request, MAX_FORM_BYTES);
    if (form.get('do') !== 'continue') {
      await this.#finish(exchange, refused('The person cancelled the sign-in'));
      return;
    }
    keepLanguage(exchange);
    await replaceSession(this.#options, interaction, { by: subject, sessionId });
    goTo(response, interaction.returnTo);
  }

  async #signIn(exchange: Exchange): Promise<void> {
    if (isGetOrHead(exchange.request)) {
      const { namesAnother } = exchange.language.messages.signIn;
      const problem = asksForAnother(exchange.interaction) ? namesAnother : undefined;
      this.#showSignIn(exchange, 200, { problem });
      return;
    }
    const form = await readForm(exchange.request, MAX_FORM_BYTES);
    if (form.get('do') === 'cancel') {
      await this.#finish(exchange, refused('The person cancelled the sign-in'));
      return;
    }
    const username = (form.get('username') ?? '').trim().slice(0, 100);
    const { networks, signIn } = this.#options;
    const result = await signIn.attempt({
      username,
      password: form.get('password') ?? '',
      network: networks.of(exchange.request),
      source: networks.sourceOf(exchange.request),
      clientId: exchange.client.clientId,
      browserCookie: cookieIn(exchange.request, KNOWN_BROWSER_COOKIE),
      expected: namedPerson(exchange.interaction),
    });
    if (result.kind !== 'signed-in') {
      this.#refuseSignIn(exchange, username, result);
      return;
    }
    const { account, browserCookie } = result;
    exchange.response.setHeader('set-cookie', this.#knownBrowser(browserCookie));
    // By the database's clock, which ends sessions, and not this machine's.
    const ts = Math.floor((await databaseNow(this.#options.db)).getTime() / 1000);
    await this.#finish(exchange, {
      login: { accountId: account.subject, ts, amr: ['pwd'], acr: PASSWORD_ACR },
    });
  }

  async #consent(exchange: Exchange): Promise<void> {
    const { interaction, request } = exchange;
    const account = await this.#options.accounts.find(interaction.session?.accountId ?? '');
    if (account === undefined) throw new errors.SessionNotFound('Nobody is signed in');
    if (isGetOrHead(request)) {
      const question = await askNow(this.#options, exchange, account);
      if (question === undefined) await this.#finish(exchange, NOTHING_TO_GRANT);
      else show(exchange, 200, renderConsent(exchange.language, question.view));
      return;
    }
    const form = await readForm(request, MAX_FORM_BYTES);
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      if (await this.#decide(exchange, account, form)) return;
    }
    throw new HttpError(
      503,
      'temporarily_unavailable',
      'What the application may read is being changed. Go back and try again.',
    );
  }

  /** @returns false, with nothing recorded, if the consent in force changed meanwhile: the question is then another one */
  async #decide(exchange: Exchange, account: Account, form: URLSearchParams): Promise<boolean> {
    const question = await askNow(this.#options, exchange, account);
    if (question === undefined) {
      await this.#finish(exchange, NOTHING_TO_GRANT);
      return true;
    }
    const { offer, standing, view } = question;
    if (standing !== undefined && (await repeatsAgreement(this.#options.db, form, offer))) {
      await this.#finish(exchange, { consent: { grantId: standing.id } });
      return true;
    }
    const decision = readDecision(form, offer, view);
    if (decision.kind === 'problem') {
      show(exchange, 400, renderConsent(exchange.language, { ...view, problem: decision.problem }));
      return true;
    }
    if (decision.kind === 'allowed') {
      const consent = await this.#options.consents.grantOver(standing, decision.terms);
      if (consent !== undefined) await this.#finish(exchange, { consent: { grantId: consent.id } });
      return consent !== undefined;
    }
    await this.#agreeToNothingNew(exchange, account, question, decision.kind);
    return true;
  }

  async #agreeToNothingNew(
    exchange: Exchange,
    account: Account,
    { scopes, standing }: Question,
    decision: 'kept' | 'refused',
  ): Promise<void> {
    const { client, interaction } = exchange;
    await recordUnchanged(this.#options.db, decision, {
      interactionId: interaction.uid,
      subject: account.subject,
      clientId: client.clientId,
      scopes,
      consentId: standing?.id,
    });
    // From an agreement in force, the application gets what it requested; if that is nothing, it is refused.
    const goesOn = decision === 'kept' && scopes.some((name) => standing?.scopes.includes(name));
    if (goesOn && standing !== undefined) await this.#finish(exchange, { consent: { grantId: standing.id } });
    else await this.#finish(exchange, refused('The person refused'));
  }

  async #finish(exchange: Exchange, result: InteractionResults): Promise<void> {
    const { interaction, request, response } = exchange;
    const { provider } = this.#options;
    if (keepLanguage(exchange)) await interaction.persist();
    const mergeWithLastSubmission = result.error === undefined;
    goTo(response, await provider.interactionResult(request, response, result, { mergeWithLastSubmission }));
  }

  #refuseSignIn(
    exchange: Exchange,
    username: string,
    result: Exclude<SignInResult, { readonly kind: 'signed-in' }>,
  ): void {
    if ('retryAfterMs' in result) {
      exchange.response.setHeader('retry-after', String(Math.ceil(result.retryAfterMs / 1000)));
    }
    const problem = exchange.language.messages.signIn.refusals[result.kind];
    this.#showSignIn(exchange, REFUSAL_STATUS[result.kind], { username, problem });
  }

  /** Sent to these pages only. */
  #knownBrowser(value: string): string {
    const secure = this.#options.issuer.startsWith('https:') ? '; Secure' : '';
    return `${KNOWN_BROWSER_COOKIE}=${value}; Path=/interaction; Max-Age=${KNOWN_BROWSER_SECONDS}; HttpOnly; SameSite=Lax${secure}`;
  }

  #showSignIn(exchange: Exchange, status: number, more: Pick<SignInView, 'username' | 'problem'>): void {
    const { client, interaction } = exchange;
    const view = { action: `/interaction/${interaction.uid}`, clientName: client.displayName, ...more };
    show(exchange, status, renderSignIn(exchange.language, view));
  }
}

function show({ response }: Exchange, status: number, markup: string): void {
  setPageHeaders(response);
  response.statusCode = status;
  sendPage(response, markup);
}

/**
 * The pages that follow are in the language of this one: oidc-provider restores the parameters of the authorization request from the
 * interaction.
 *
 * @returns whether it was another one, so that the interaction has to be stored
 */
function keepLanguage({ interaction, language }: Exchange): boolean {
  if (interaction.params['ui_locales'] === language.tag) return false;
  interaction.params['ui_locales'] = language.tag;
  return true;
}

/** The redirect stays on this host, so it names none. */
function goTo(response: ServerResponse, returnTo: string): void {
  const { pathname, search } = new URL(returnTo);
  response.writeHead(303, { location: `${pathname}${search}` }).end();
}

function refused(description: string): InteractionResults {
  return { error: 'access_denied', error_description: description };
}
