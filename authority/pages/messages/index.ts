import { de } from './de.js';
import { en } from './en.js';
import type { PageMessages } from './messages.js';

export type {
  ConsentMessages,
  ErrorKind,
  ErrorMessages,
  GoBackMessages,
  OtherPersonMessages,
  PageMessages,
  ProblemMessages,
  RemarkMessages,
  SignInMessages,
  SignOutMessages,
} from './messages.js';

/** The messages that come with the authority, by language. */
export const MESSAGES: Readonly<Record<'de' | 'en', PageMessages>> = Object.freeze({ de, en });
