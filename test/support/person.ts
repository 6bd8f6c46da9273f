export {
  BrowserlessPerson,
  type Outcome,
  type PersonsWill,
  PersonStuckError,
  type SeenPage,
  signInAndConsent,
} from '@behalf/authority/internal';
