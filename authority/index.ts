export * from './consent/index.js';
export { AuthorityError, type AuthorityErrorCode } from './errors.js';
export * from './clients/index.js';
export { transact } from './consent/transact.js';
export type { ClientCertificateOptions } from './http/client-certificate.js';
export type { Account, NewAccount } from './accounts/register.js';
export type { StreamReceiver } from './changes/receivers.js';
export type { AuthorityOptions } from './options.js';
export { type ListedKey, listSigningKeys } from './keys/listing.js';
export {
  type KeyChangeOptions,
  type KeyRevocation,
  revokeSigningKey,
  rotateSigningKeys,
  type Rotation,
  type RotationOptions,
} from './keys/rotate.js';
export type { DurationChoice } from './pages/consent.js';
export { type Authority, startAuthority } from './server.js';
