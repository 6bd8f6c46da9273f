export { BrowserlessPerson, PersonStuckError, signInAndConsent } from '@behalf/example/internal';
export type { Outcome, PersonsWill, SeenPage } from '@behalf/example/internal';
