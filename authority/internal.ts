/**
 * The authority's store, for Behalf's own packages: consents, applications, signing keys. It loads no authorization server.
 * Internal: it changes without notice, in any version.
 */
export * from './clients/index.js';
export { applicationErrors } from './clients/errors.js';
export * from './consent/index.js';
export { transact } from './transact.js';
export { authorityErrors } from './errors.js';
export { authorityRequestErrors } from './http/errors.js';
export { encryptionKeyFrom } from './keys/encryption-key.js';
export { type ListedKey, listSigningKeys } from './keys/listing.js';
export { SigningKeyRing } from './keys/ring.js';
export {
  type KeyChangeOptions,
  type KeyRevocation,
  revokeSigningKey,
  rotateSigningKeys,
  type Rotation,
  type RotationOptions,
} from './keys/rotate.js';
export { SealedSecrets } from './keys/sealed.js';
export type { SigningKey } from './keys/signing-key.js';
export { sealedName } from './keys/tend.js';
export { KEY_SCHEDULE } from './keys/times.js';
export { authorityLogCodes } from './log-codes.js';
export { authorityReadinessCodes, databaseReadiness, needsAnswers, needsConsents } from './readiness.js';
export { ACCESS_TOKEN_SECONDS } from './oidc/lifetimes.js';
