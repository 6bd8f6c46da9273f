import type { IncomingMessage } from 'node:http';
import { LANGUAGE_PARAMETER } from '../pages/layout.js';
import type { AskingLanguage, Languages } from './languages.js';

/**
 * The language to answer in. A form says by its address in which language it was shown, so it is judged by the words that the
 * person read.
 *
 * @param uiLocales of the authorization request that the page belongs to; by default those in the address
 */
export function languageOf(
  languages: Languages,
  request: IncomingMessage,
  uiLocales?: unknown,
): AskingLanguage {
  const parameters = parametersOf(request);
  return languages.choose({
    chosen: parameters.get(LANGUAGE_PARAMETER),
    uiLocales: uiLocales ?? parameters.get('ui_locales'),
    acceptLanguage: request.headers['accept-language'],
  });
}

/** The parameters in a request's address. */
export function parametersOf({ url = '' }: IncomingMessage): URLSearchParams {
  const start = url.indexOf('?');
  return new URLSearchParams(start === -1 ? '' : url.slice(start));
}
