import type { PageMessages } from './messages.js';

const START_AGAIN = 'Go back to the application and start again from there.';
const TELL_THEM =
  'Nothing was shared. You can do nothing about it here; tell the people who run the application.';

export const en: PageMessages = {
  direction: 'ltr',
  languages: 'Language',
  signIn: {
    title: 'Sign in',
    asks: (clientName) => `${clientName} asks for access to your data. Sign in to decide about it.`,
    username: 'User name',
    password: 'Password',
    submit: 'Sign in',
    cancel: 'Cancel',
    namesAnother: 'The application asks for another person than the one who is signed in.',
    refusals: {
      wrong: 'The user name or the password is wrong.',
      'another-person':
        'The application asks for another person. Sign in as the person whom it knows, or cancel.',
      throttled: 'Too many wrong passwords. Wait a minute and try again.',
      busy: 'Too many people are signing in. Wait a moment and try again.',
    },
  },
  otherPerson: {
    title: 'Another person is signed in',
    explanation: (personName) =>
      `You signed in as ${personName}, but another person is still signed in with this browser. If you go on, ` +
      'they are signed out here, and applications that they opened from this browser lose access. What they agreed to stays.',
    goOn: (personName) => `Continue as ${personName}`,
    cancel: 'Cancel',
    nameless: 'yourself',
  },
  consent: {
    title: (clientName) => `${clientName} asks for access to your data`,
    titleMore: (clientName) => `${clientName} asks for more`,
    titleAgain: (clientName) => `${clientName} asks you to look at your agreement again`,
    signedInAs: { before: 'You are signed in as ', after: '.' },
    standing: (since, until) =>
      `You gave it access on ${since}. That ends on ${until}, and nothing of it changes if you leave it as it was.`,
    runBy: (clientName, owner) => `${clientName} is run by ${owner}.`,
    questions: 'Questions:',
    homePage: 'About it:',
    whatFor: 'What for',
    whatForChoice: 'What for. Tick what you allow.',
    scopes: 'What it would do. Tick what you allow.',
    scopesNew: 'New: what it would do as well. Tick what you allow.',
    scopesDeclined: 'Asked again. Tick what you allow now.',
    scopesKnown: 'What you agreed to already. Take away what you do not want any more.',
    isNew: 'New',
    howLong: 'How long',
    sameEnd: 'Unchanged, as above',
    opens: (count) => (count === 1 ? 'What this means: one thing' : `What this means: ${count} things`),
    otherData: 'Technical items',
    together: (sentence) =>
      sentence === undefined ? 'only with another permission as well' : `only together with “${sentence}”`,
    changes: 'What it may do',
    inFull: 'in full',
    left: {
      KEEP: 'in full',
      REDACT: 'hidden',
      MASK: 'partly hidden',
      TRUNCATE: 'only the beginning',
      GENERALIZE: 'only roughly',
      SHIFT: 'with moved dates',
      PSEUDONYMIZE: 'by a made-up name',
      NOISE: 'only approximately',
      AGGREGATE: 'only as numbers about many people',
    },
    howMuchOfWhat: 'How much of what',
    asAllowed: 'As much as you allow above',
    asAbove: 'As chosen above',
    singleFields: 'Choose for single items',
    howMuchDetail: 'How much detail',
    details: {
      full: 'Full detail',
      minimal: 'Less detail: shortened or rounded where that is possible',
    },
    takeBack: 'You can take this back at any time; it ends at once then.',
    allow: 'Allow',
    refuse: 'Refuse',
    keep: 'Leave it as it was',
  },
  remarks: {
    changes: 'Lets it change something in your name, not only look.',
    sensitive: 'Sensitive: in the wrong hands this can do you harm.',
    refusedBefore: 'You said no to this before.',
    ends: (until) =>
      until === undefined ? 'This permission is being given up.' : `This permission ends on ${until}.`,
    replacedBy: (sentences) => `In its place comes: ${sentences.join('; ')}.`,
  },
  problems: {
    changed: 'This page has changed since you opened it. Read it again, and decide then.',
    nothingTicked: 'Nothing is ticked. Tick what you allow, or refuse.',
    nothingTickedKeep: 'Nothing is ticked. Tick what you allow, or leave it as it was.',
    noPurpose: 'Tick at least one of the purposes, or refuse.',
    noPurposeKeep: 'Tick at least one of the purposes, or leave it as it was.',
    choose: 'Choose how long and how much detail from what is listed.',
    tooManyLevels: 'You chose for too many single items. Choose for kinds of data instead.',
    timeOver: 'The time for which access was asked is over.',
  },
  goBack: {
    title: (clientName) => `Back to ${clientName}`,
    explanation: 'This takes a moment. If nothing happens, continue here.',
    button: (clientName) => `Continue to ${clientName}`,
    nameless: 'the application',
  },
  signOut: {
    title: 'Sign out',
    explanation:
      'Applications that you opened from this browser lose access at once. What you agreed to stays.',
    submit: 'Sign out',
    doneTitle: 'Signed out',
    done: 'Nobody is signed in with this browser.',
  },
  errors: {
    expired: {
      title: 'This page is no longer valid',
      happened:
        'It was used already, was open for too long, or belongs to another browser or another sign-in.',
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
  },
  errorReaders: {
    service: 'For the people who run this service:',
    application: 'For the people who run the application:',
  },
};
