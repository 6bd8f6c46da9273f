/** What only Behalf's other packages use. Internal: it changes without notice, in any version. */

export { authorityErrors } from './errors.js';
export { encryptionKeyFrom } from './keys/encryption-key.js';
export { SigningKeyRing } from './keys/ring.js';
export { SealedSecrets } from './keys/sealed.js';
export type { SigningKey } from './keys/signing-key.js';
export { sealedName } from './keys/tend.js';
export { KEY_SCHEDULE } from './keys/times.js';
export { ACCESS_TOKEN_SECONDS } from './oidc/lifetimes.js';
export {
  BrowserlessPerson,
  type Outcome,
  PersonStuckError,
  type PersonsWill,
  type SeenPage,
  signInAndConsent,
} from './testing/browserless-person.js';
