import { html } from './html.js';
import { page } from './layout.js';

interface Explanation {
  readonly title: string;
  readonly happened: string;
  readonly advice: string;
}

const START_AGAIN = 'Go back to the application and start again from there.';
const TELL_THEM =
  'Nothing was shared. You can do nothing about it here; tell the people who run the application.';

/** For each kind of error, what happened and what a person can do about it. */
const EXPLANATIONS = {
  expired: {
    title: 'This page is no longer valid',
    happened: 'It was used already, was open for too long, or belongs to another browser or another sign-in.',
    advice: START_AGAIN,
  },
  'unknown-application': {
    title: 'This application is not known here',
    happened: 'The application that sent you here is not registered, or no longer.',
    advice: TELL_THEM,
  },
  'unknown-address': {
    title: 'You cannot go back to this application',
    happened:
      'The application wants you sent to an address that is not registered for it. Somebody may be trying to get your access, so you are not sent there.',
    advice: TELL_THEM,
  },
  'unacceptable-request': {
    title: 'The application’s request cannot be answered',
    happened: 'Its request is incomplete, or is not allowed.',
    advice: TELL_THEM,
  },
  'foreign-form': {
    title: 'This form came from another site',
    happened: 'Only a form on this site can be answered, so nothing was done.',
    advice: START_AGAIN,
  },
  'unreadable-form': {
    title: 'Your answer could not be read',
    happened: 'It arrived incomplete, or in a form that is not understood.',
    advice: 'Go back to the page before and answer again.',
  },
  'no-page': {
    title: 'There is no page here',
    happened: 'The address may be misspelled, or the page cannot be opened this way.',
    advice: 'Check the address, or go back to the application and start again from there.',
  },
  busy: {
    title: 'This service is busy',
    happened: 'Your request could not be answered now.',
    advice: 'Wait a moment and load this page again.',
  },
  failed: {
    title: 'Something went wrong here',
    happened: 'This is not your fault, and not the fault of the application.',
    advice: 'Wait a few minutes and start again from the application.',
  },
} as const satisfies Record<string, Explanation>;

/** The kinds of errors that people are told apart. */
export type ErrorKind = keyof typeof EXPLANATIONS;

/** @see renderErrorPage */
export interface ErrorView {
  readonly kind: ErrorKind;
  /** A code of this authority, or of an OAuth specification. */
  readonly code: string;
  /** For the developers of the application, when the kind does not say it. */
  readonly detail?: string | undefined;
}

/** Leads nowhere by itself: the address that a request names may be an attacker's. */
export function renderErrorPage({ code, detail, kind }: ErrorView): string {
  const { advice, happened, title } = EXPLANATIONS[kind];
  const readers = kind === 'failed' || kind === 'busy' ? 'this service' : 'the application';
  return page(
    title,
    html`<h1>${title}</h1>
      <p class="alert">${happened}</p>
      <p>${advice}</p>
      <p class="quiet">
        For the people who run ${readers}: ${code}${detail !== undefined && `: ${detail}`}
      </p>`,
  );
}
