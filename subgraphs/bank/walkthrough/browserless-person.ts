import { CookieJar } from './cookie-jar.js';
import { readPageForm, readRefresh } from './form.js';

/** The person's choices on the authority's pages. */
export interface PersonsWill {
  readonly user: string;
  readonly password: string;
  /** Leave only these of the scopes shown ticked; default: all. */
  readonly grant?: readonly string[];
  /** Take these away; wins over `grant`. */
  readonly deny?: readonly string[];
  /** Take these purposes away, where there is a choice. */
  readonly denyPurposes?: readonly string[];
  /** The seconds, or the words, of one of the durations shown; default: what the page proposes. */
  readonly duration?: string | number;
  readonly detail?: 'full' | 'minimal';
  /** Levels of detail by data category or field, where the page offers a choice. */
  readonly levels?: Readonly<Record<string, string>>;
  /** The button on the consent page; default `allow`. */
  readonly decide?: 'allow' | 'refuse' | 'keep';
  /** Switches pages to this language (BCP 47) where they are in another one. */
  readonly language?: string;
  /** Called while they read the consent page. */
  readonly beforeDeciding?: () => Promise<void>;
}

/** A page that the person saw, as the authority sent it. */
export interface SeenPage {
  readonly url: string;
  readonly status: number;
  readonly markup: string;
}

/** @see BrowserlessPerson.follow */
export interface Outcome {
  /** Where the authority sent the browser: the redirect address of the client, with `code` or `error`. */
  readonly callbackUrl: URL;
  readonly pages: readonly SeenPage[];
}

/** The person could not go on: the last page says why. */
export class PersonStuckError extends Error {
  override readonly name = 'PersonStuckError';
  readonly pages: readonly SeenPage[];

  constructor(message: string, pages: readonly SeenPage[]) {
    super(message);
    this.pages = pages;
  }
}

const STEPS_AT_MOST = 20;

/**
 * A person at a browser without a screen: follows redirects, keeps cookies, fills in the authority's own forms, and stops
 * where the browser would leave the authority. For tests and the walkthrough.
 */
export class BrowserlessPerson {
  readonly #cookies = new CookieJar();
  readonly #acceptLanguage: string | undefined;

  /** @param acceptLanguage the languages that the browser asks for; default: none */
  constructor(acceptLanguage?: string) {
    this.#acceptLanguage = acceptLanguage;
  }

  /** @throws PersonStuckError when a page has no way on, such as after a wrong password */
  async follow(authorizationUrl: string | URL, will: PersonsWill): Promise<Outcome> {
    let url = new URL(authorizationUrl);
    const { origin } = url;
    let form: URLSearchParams | undefined;
    let signedIn = false;
    const pages: SeenPage[] = [];
    for (let step = 0; step < STEPS_AT_MOST; step++) {
      const response = await this.#request(url, form);
      const markup = await response.text();
      const next = response.headers.get('location') ?? readRefresh(markup);
      if (next !== undefined) {
        url = new URL(next, url);
        form = undefined;
        if (url.origin !== origin) return { callbackUrl: url, pages };
        continue;
      }
      const page = { url: url.href, status: response.status, markup };
      pages.push(page);
      const otherLanguage = will.language === undefined ? undefined : linkTo(will.language, markup);
      if (otherLanguage !== undefined) {
        url = new URL(otherLanguage, url);
        form = undefined;
        continue;
      }
      const shown = readPageForm(page.markup);
      if (shown === undefined || !response.ok) throw stuck(pages);
      const asksPassword = shown.fields.has('password');
      if (asksPassword && signedIn) throw stuck(pages);
      signedIn ||= asksPassword;
      if (!asksPassword) await will.beforeDeciding?.();
      form = asksPassword ? signIn(shown.fields, will) : decide(shown, will);
      url = new URL(shown.action, url);
    }
    throw stuck(pages);
  }

  /**
   * Opens the page and presses the button.
   *
   * @returns the page after that
   */
  async signOut(issuer: string): Promise<SeenPage> {
    const url = new URL('/sign-out', issuer);
    const shown = readPageForm(await (await this.#request(url, undefined)).text());
    if (shown === undefined) throw new PersonStuckError('There is no way to sign out', []);
    const response = await this.#request(new URL(shown.action, url), new URLSearchParams(shown.fields));
    return { url: url.href, status: response.status, markup: await response.text() };
  }

  /** One request of the browser, with its cookies, without following a redirect. */
  async #request(url: URL, form: URLSearchParams | undefined): Promise<Response> {
    const cookie = this.#cookies.header(url);
    const headers = new Headers({ accept: 'text/html' });
    if (cookie !== '') headers.set('cookie', cookie);
    if (this.#acceptLanguage !== undefined) headers.set('accept-language', this.#acceptLanguage);
    const init: RequestInit = { redirect: 'manual', headers };
    const response = await fetch(url, form === undefined ? init : { ...init, method: 'POST', body: form });
    this.#cookies.take(response, url);
    return response;
  }
}

/** Signs in and decides, as somebody who comes for the first time. */
export async function signInAndConsent(
  request: PersonsWill & { readonly authorizationUrl: string | URL },
): Promise<Outcome> {
  return new BrowserlessPerson().follow(request.authorizationUrl, request);
}

function signIn(fields: URLSearchParams, will: PersonsWill): URLSearchParams {
  const filled = new URLSearchParams(fields);
  filled.set('username', will.user);
  filled.set('password', will.password);
  filled.set('do', 'sign-in');
  return filled;
}

function decide(shown: NonNullable<ReturnType<typeof readPageForm>>, will: PersonsWill): URLSearchParams {
  const filled = new URLSearchParams(shown.fields);
  const offered = (shown.choices.get('scope') ?? []).map(({ value }) => value);
  filled.delete('scope');
  for (const scope of offered) {
    const wanted = will.grant?.includes(scope) ?? true;
    if (wanted && will.deny?.includes(scope) !== true) filled.append('scope', scope);
  }
  filled.delete('purpose');
  for (const { value } of shown.choices.get('purpose') ?? []) {
    if (will.denyPurposes?.includes(value) !== true) filled.append('purpose', value);
  }
  if (will.duration !== undefined) {
    const wanted = String(will.duration);
    const option = shown.choices
      .get('duration')
      ?.find(({ value, label }) => value === wanted || label === wanted);
    if (option === undefined) throw new RangeError(`The page does not offer the duration "${wanted}"`);
    filled.set('duration', option.value);
  }
  if (will.detail !== undefined) filled.set('detail', will.detail);
  for (const [name, level] of Object.entries(will.levels ?? {})) filled.set(`level:${name}`, level);
  // A page that asks something else than for access has one way on.
  const onward = shown.fields.has('shown') ? 'allow' : 'continue';
  filled.set('do', will.decide ?? onward);
  return filled;
}

/** Undefined if the page is in this language, or not offered in it. */
function linkTo(language: string, markup: string): string | undefined {
  const links = [...markup.matchAll(/<a href="([^"]*)" lang="([^"]*)"/g)];
  return links.find(([, , each]) => each === language)?.[1]?.replaceAll('&amp;', '&');
}

function stuck(pages: readonly SeenPage[]): PersonStuckError {
  const last = pages.at(-1);
  const said =
    /<p class="alert"[^>]*>\s*([^<]*?)\s*<\/p>/.exec(last?.markup ?? '')?.[1] ?? 'there is no way on';
  return new PersonStuckError(`Page ${last?.url ?? 'none'} (${last?.status ?? 0}): ${said}`, pages);
}
