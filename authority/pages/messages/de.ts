import type { PageMessages } from './messages.js';

const START_AGAIN = 'Geh zurück zur Anwendung und fang dort noch einmal an.';
const TELL_THEM =
  'Es wurde nichts weitergegeben. Du kannst hier nichts tun. Sag dem Betreiber der Anwendung Bescheid.';

export const de: PageMessages = {
  direction: 'ltr',
  languages: 'Sprache',
  signIn: {
    title: 'Anmelden',
    asks: (clientName) =>
      `${clientName} bittet um Zugriff auf deine Daten. Melde dich an, um darüber zu entscheiden.`,
    username: 'Benutzername',
    password: 'Passwort',
    submit: 'Anmelden',
    cancel: 'Abbrechen',
    namesAnother: 'Die Anwendung fragt nach einer anderen Person als der, die angemeldet ist.',
    refusals: {
      wrong: 'Der Benutzername oder das Passwort ist falsch.',
      'another-person':
        'Die Anwendung fragt nach einer anderen Person. Melde dich als die Person an, die sie kennt, oder brich ab.',
      throttled: 'Zu viele falsche Passwörter. Warte eine Minute und versuche es noch einmal.',
      busy: 'Gerade melden sich zu viele Menschen an. Warte einen Moment und versuche es noch einmal.',
    },
  },
  otherPerson: {
    title: 'Eine andere Person ist angemeldet',
    explanation: (personName) =>
      `Du hast dich als ${personName} angemeldet, aber in diesem Browser ist noch eine andere Person angemeldet. Wenn du weitermachst, ` +
      'wird sie hier abgemeldet, und Anwendungen, die sie in diesem Browser geöffnet hat, verlieren den Zugriff. Ihre Zustimmungen bleiben bestehen.',
    goOn: (personName) => `Weiter als ${personName}`,
    cancel: 'Abbrechen',
    nameless: 'diese Person',
  },
  consent: {
    title: (clientName) => `${clientName} bittet um Zugriff auf deine Daten`,
    titleMore: (clientName) => `${clientName} bittet um mehr`,
    titleAgain: (clientName) => `${clientName} bittet dich, deine Zustimmung noch einmal anzusehen`,
    signedInAs: { before: 'Du bist angemeldet als ', after: '.' },
    standing: (since, until) =>
      `Du hast am ${since} Zugriff gegeben. Er endet am ${until}. Daran ändert sich nichts, wenn du alles so lässt.`,
    runBy: (clientName, owner) => `${clientName} wird von ${owner} betrieben.`,
    questions: 'Fragen:',
    homePage: 'Mehr darüber:',
    whatFor: 'Wofür',
    whatForChoice: 'Wofür. Kreuze an, was du erlaubst.',
    scopes: 'Was die Anwendung tun würde. Kreuze an, was du erlaubst.',
    scopesNew: 'Neu: was die Anwendung außerdem tun würde. Kreuze an, was du erlaubst.',
    scopesDeclined: 'Noch einmal gefragt. Kreuze an, was du jetzt erlaubst.',
    scopesKnown: 'Dem hast du schon zugestimmt. Nimm weg, was du nicht mehr möchtest.',
    isNew: 'Neu',
    howLong: 'Wie lange',
    sameEnd: 'Unverändert, wie oben',
    opens: (count) => (count === 1 ? 'Was das bedeutet: eine Angabe' : `Was das bedeutet: ${count} Angaben`),
    otherData: 'Technische Angaben',
    together: (sentence) =>
      sentence === undefined ? 'nur mit einer weiteren Erlaubnis' : `nur zusammen mit „${sentence}“`,
    changes: 'Was sie tun darf',
    inFull: 'vollständig',
    left: {
      KEEP: 'vollständig',
      REDACT: 'verborgen',
      MASK: 'zum Teil verborgen',
      TRUNCATE: 'nur der Anfang',
      GENERALIZE: 'nur ungefähr',
      SHIFT: 'mit verschobenen Tagen',
      PSEUDONYMIZE: 'unter einem erfundenen Namen',
      NOISE: 'nur annähernd',
      AGGREGATE: 'nur als Zahlen über viele Menschen',
    },
    howMuchOfWhat: 'Wie viel wovon',
    asAllowed: 'So viel, wie du oben erlaubst',
    asAbove: 'Wie oben gewählt',
    singleFields: 'Für einzelne Angaben wählen',
    howMuchDetail: 'Wie genau',
    details: {
      full: 'Alle Einzelheiten',
      minimal: 'Weniger genau: gekürzt oder gerundet, wo das möglich ist',
    },
    takeBack: 'Du kannst das jederzeit zurücknehmen. Dann endet der Zugriff sofort.',
    allow: 'Erlauben',
    refuse: 'Ablehnen',
    keep: 'Alles so lassen',
  },
  remarks: {
    changes: 'Damit kann die Anwendung in deinem Namen etwas ändern, nicht nur ansehen.',
    sensitive: 'Heikel: In falschen Händen kann dir das schaden.',
    refusedBefore: 'Dazu hast du schon einmal Nein gesagt.',
    ends: (until) =>
      until === undefined ? 'Diese Erlaubnis wird abgeschafft.' : `Diese Erlaubnis endet am ${until}.`,
    replacedBy: (sentences) => `An ihre Stelle tritt: ${sentences.join('; ')}.`,
  },
  problems: {
    changed:
      'Diese Seite hat sich geändert, seit du sie geöffnet hast. Lies sie noch einmal und entscheide dann.',
    nothingTicked: 'Es ist nichts angekreuzt. Kreuze an, was du erlaubst, oder lehne ab.',
    nothingTickedKeep: 'Es ist nichts angekreuzt. Kreuze an, was du erlaubst, oder lass alles so.',
    noPurpose: 'Kreuze mindestens einen der Zwecke an, oder lehne ab.',
    noPurposeKeep: 'Kreuze mindestens einen der Zwecke an, oder lass alles so.',
    choose: 'Wähle aus, wie lange und wie genau, aus dem, was angeboten wird.',
    tooManyLevels: 'Du hast für zu viele einzelne Angaben gewählt. Wähle stattdessen für Arten von Angaben.',
    timeOver: 'Die Zeit, für die um Zugriff gebeten wurde, ist vorbei.',
  },
  goBack: {
    title: (clientName) => `Zurück zu ${clientName}`,
    explanation: 'Das dauert einen Moment. Wenn nichts passiert, geht es hier weiter.',
    button: (clientName) => `Weiter zu ${clientName}`,
    nameless: 'der Anwendung',
  },
  signOut: {
    title: 'Abmelden',
    explanation:
      'Anwendungen, die du in diesem Browser geöffnet hast, verlieren sofort den Zugriff. Deine Zustimmungen bleiben bestehen.',
    submit: 'Abmelden',
    doneTitle: 'Abgemeldet',
    done: 'In diesem Browser ist niemand angemeldet.',
  },
  errors: {
    expired: {
      title: 'Diese Seite gilt nicht mehr',
      happened:
        'Sie wurde schon benutzt, war zu lange offen, oder gehört zu einem anderen Browser oder einer anderen Anmeldung.',
      advice: START_AGAIN,
    },
    'unknown-application': {
      title: 'Diese Anwendung ist hier nicht bekannt',
      happened: 'Die Anwendung, die dich hierher geschickt hat, ist nicht oder nicht mehr registriert.',
      advice: TELL_THEM,
    },
    'unknown-address': {
      title: 'Du kannst nicht zu dieser Anwendung zurück',
      happened:
        'Die Anwendung will dich an eine Adresse schicken lassen, die nicht für sie registriert ist. Vielleicht versucht jemand, an deinen Zugriff zu kommen. Darum wirst du nicht dorthin geschickt.',
      advice: TELL_THEM,
    },
    'unacceptable-request': {
      title: 'Die Anfrage der Anwendung kann nicht beantwortet werden',
      happened: 'Ihre Anfrage ist unvollständig oder nicht erlaubt.',
      advice: TELL_THEM,
    },
    'foreign-form': {
      title: 'Dieses Formular kam von einer anderen Website',
      happened: 'Nur ein Formular dieser Website kann beantwortet werden. Darum wurde nichts getan.',
      advice: START_AGAIN,
    },
    'unreadable-form': {
      title: 'Deine Antwort konnte nicht gelesen werden',
      happened: 'Sie kam unvollständig an, oder in einer Form, die nicht verstanden wird.',
      advice: 'Geh zurück zur vorigen Seite und antworte noch einmal.',
    },
    'no-page': {
      title: 'Hier ist keine Seite',
      happened: 'Vielleicht ist die Adresse falsch geschrieben, oder die Seite lässt sich so nicht öffnen.',
      advice: 'Prüfe die Adresse, oder geh zurück zur Anwendung und fang dort noch einmal an.',
    },
    busy: {
      title: 'Dieser Dienst ist überlastet',
      happened: 'Deine Anfrage konnte gerade nicht beantwortet werden.',
      advice: 'Warte einen Moment und lade diese Seite neu.',
    },
    failed: {
      title: 'Hier ist etwas schiefgegangen',
      happened: 'Das liegt nicht an dir und nicht an der Anwendung.',
      advice: 'Warte ein paar Minuten und fang in der Anwendung noch einmal an.',
    },
  },
  errorReaders: {
    service: 'Für den Betrieb dieses Dienstes:',
    application: 'Für den Betrieb der Anwendung:',
  },
};
