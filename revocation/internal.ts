/** For Behalf's own packages only. Changes without notice, in any version. */
export { revocationErrors } from './errors.js';
export { revocationLogCodes } from './log.js';
export { SsfReceiver } from './receiver.js';
export { KeysUnavailableError, RemoteKeys } from './remote-keys.js';
export type { VerificationKey, VerifiedByKey } from './verify-by-any.js';
export { Revocations } from './revocations.js';
export { streamProblem } from './stream-problem.js';
export type { StreamAddresses } from './stream-problem.js';
export type { SuspensionCode, Suspensions } from './suspensions.js';
export type { RevocableToken } from './token.js';
export { RevocationView } from './view.js';
export type { RevokedSubject } from './view.js';
