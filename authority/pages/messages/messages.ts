import type { StrategyName } from '@behalf/directives/internal';
import type { DetailLevel } from '../../consent/types.js';
import type { SignInResult } from '../../accounts/sign-in.js';

/** The kinds of errors that people are told apart. */
export type ErrorKind =
  | 'expired'
  | 'unknown-application'
  | 'unknown-address'
  | 'unacceptable-request'
  | 'foreign-form'
  | 'unreadable-form'
  | 'no-page'
  | 'busy'
  | 'failed';

/** An error, for a person. */
export interface ErrorMessages {
  readonly title: string;
  readonly happened: string;
  /** What the person can do about it. */
  readonly advice: string;
}

/**
 * Every word of the authority's pages in one language, except what the policy and the applications' registrations say. The
 * languages that come with the authority are in `pages/messages`; others are given by {@link AuthorityOptions.messages}.
 */
export interface PageMessages {
  /** The direction in which the language is written. */
  readonly direction: 'ltr' | 'rtl';
  /** Names the links to the other languages, for screen readers. */
  readonly languages: string;
  readonly signIn: SignInMessages;
  readonly otherPerson: OtherPersonMessages;
  readonly consent: ConsentMessages;
  readonly remarks: RemarkMessages;
  /** What is wrong with a submitted decision. */
  readonly problems: ProblemMessages;
  readonly goBack: GoBackMessages;
  readonly signOut: SignOutMessages;
  readonly errors: Readonly<Record<ErrorKind, ErrorMessages>>;
  readonly errorReaders: {
    /** Before a code for those who run the authority. */
    readonly service: string;
    readonly application: string;
  };
}

/** The page on which a person signs in. */
export interface SignInMessages {
  readonly title: string;
  readonly asks: (clientName: string) => string;
  readonly username: string;
  readonly password: string;
  readonly submit: string;
  readonly cancel: string;
  /** The person who is signed in is not the one whom the application asks for. */
  readonly namesAnother: string;
  readonly refusals: Readonly<Record<Exclude<SignInResult['kind'], 'signed-in'>, string>>;
}

/** The page that asks before another person is signed out of the browser. */
export interface OtherPersonMessages {
  readonly title: string;
  readonly explanation: (personName: string) => string;
  readonly goOn: (personName: string) => string;
  readonly cancel: string;
  /** Stands for the name of a person who has none any more. */
  readonly nameless: string;
}

/** The page on which a person decides. */
export interface ConsentMessages {
  readonly title: (clientName: string) => string;
  /** The title when the person has agreed to something before. */
  readonly titleMore: (clientName: string) => string;
  /** The title when nothing is new. */
  readonly titleAgain: (clientName: string) => string;
  /**
   * The person's name stands between the two. They are stored with the words of the page, so that the name is found in them when the
   * person is forgotten.
   */
  readonly signedInAs: { readonly before: string; readonly after: string };
  readonly standing: (since: string, until: string) => string;
  readonly runBy: (clientName: string, owner: string) => string;
  /** Before an address for questions. */
  readonly questions: string;
  /** Before the application's home page. */
  readonly homePage: string;
  readonly whatFor: string;
  readonly whatForChoice: string;
  readonly scopes: string;
  readonly scopesNew: string;
  readonly scopesDeclined: string;
  readonly scopesKnown: string;
  readonly isNew: string;
  readonly howLong: string;
  /** The choice to keep the end that the page states above. */
  readonly sameEnd: string;
  /** Opens the list of the fields that a scope means. */
  readonly opens: (count: number) => string;
  /** Heads what may be changed, beside what may be read. */
  readonly changes: string;
  /** Heads fields of no kind of personal data. */
  readonly otherData: string;
  /** Beside a field that another permission is needed for as well. */
  readonly together: (sentence: string | undefined) => string;
  /** Beside a field that is given whole, and is minimized otherwise. */
  readonly inFull: string;
  /** Beside a field, what is left of it; by the strategy of `@minimize`. */
  readonly left: Readonly<Record<StrategyName, string>>;
  readonly howMuchOfWhat: string;
  /** The choice of no less detail for a kind of data. */
  readonly asAllowed: string;
  /** The choice of no other detail for a field than for its kind. */
  readonly asAbove: string;
  readonly singleFields: string;
  readonly howMuchDetail: string;
  readonly details: Readonly<Record<DetailLevel, string>>;
  readonly takeBack: string;
  readonly allow: string;
  readonly refuse: string;
  readonly keep: string;
}

/** Remarks beside the sentence of a scope or purpose. */
export interface RemarkMessages {
  readonly changes: string;
  readonly sensitive: string;
  readonly refusedBefore: string;
  /** The scope is deprecated. @param until a formatted day */
  readonly ends: (until: string | undefined) => string;
  /** @param sentences of the policy */
  readonly replacedBy: (sentences: readonly string[]) => string;
}

/** What a person can mend in their answer. */
export interface ProblemMessages {
  readonly changed: string;
  readonly nothingTicked: string;
  readonly nothingTickedKeep: string;
  readonly noPurpose: string;
  readonly noPurposeKeep: string;
  readonly choose: string;
  /** Levels of detail were chosen for more single fields than a token can carry. */
  readonly tooManyLevels: string;
  readonly timeOver: string;
}

/** The page that leads back to the application. */
export interface GoBackMessages {
  readonly title: (clientName: string) => string;
  readonly explanation: string;
  readonly button: (clientName: string) => string;
  /** Stands for the name of an application without one. */
  readonly nameless: string;
}

/** The pages before and after signing out. */
export interface SignOutMessages {
  readonly title: string;
  readonly explanation: string;
  readonly submit: string;
  readonly doneTitle: string;
  readonly done: string;
}
