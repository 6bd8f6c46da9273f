export {
  BrowserlessPerson,
  type Outcome,
  type PersonsWill,
  PersonStuckError,
  type SeenPage,
  signInAndConsent,
} from '../../authority/testing/browserless-person.js';
