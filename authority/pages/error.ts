import { html } from './html.js';
import { foreign, page, type PageLanguage } from './layout.js';
import type { ErrorKind } from './messages/index.js';

/** @see renderErrorPage */
export interface ErrorView {
  readonly kind: ErrorKind;
  /** A code of this authority, or of an OAuth specification. */
  readonly code: string;
  /** In English, for the developers of the application, when the kind does not say it. */
  readonly detail?: string | undefined;
}

/**
 * Leads nowhere by itself: the address that a request names may be an attacker's.
 *
 * @param parameters of the address, if it can be opened again
 */
export function renderErrorPage(
  language: PageLanguage,
  { code, detail, kind }: ErrorView,
  parameters?: URLSearchParams,
): string {
  const { errorReaders, errors } = language.messages;
  const { advice, happened, title } = errors[kind];
  const readers = kind === 'failed' || kind === 'busy' ? errorReaders.service : errorReaders.application;
  return page(language, {
    title,
    body: html`<h1>${title}</h1>
      <p class="alert">${happened}</p>
      <p>${advice}</p>
      <p class="quiet">${readers} ${code}${detail !== undefined && html`: ${foreign(detail, 'en')}`}</p>`,
    parameters,
  });
}
