export {
  BrowserlessPerson,
  type Outcome,
  type PersonsWill,
  PersonStuckError,
  type SeenPage,
  signInAndConsent,
} from '../../subgraphs/bank/walkthrough/browserless-person.js';
