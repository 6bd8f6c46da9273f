export { migrateAuthority } from '../migrations/index.js';
export { type Forgetting, type Forgotten, forgetSubject } from './forget.js';
export type { ChangeCaller, ChangeRequest } from '../change-request.js';
export type { AuthorityDatabase, AuthoritySchema } from '../schema.js';
export { type AcknowledgementsOptions, GatewayAcknowledgements, type InForce } from './in-force.js';
export type { ConsentExport, ExportedEvent, ExportedRecord, ExportPart } from './export.js';
export { ConsentRegister } from './register.js';
export { isStoreBusy } from '../transact.js';
export {
  type Suspension,
  type SuspensionChange,
  type SuspensionOptions,
  SuspensionRegister,
  type SuspensionTarget,
} from './suspensions.js';
export { type ConsentDifference, type ConsentVerification, verifyConsents } from './verify.js';
export type {
  ChangePosition,
  Consent,
  ConsentEventType,
  ConsentFilter,
  ConsentPage,
  ConsentStatus,
  ConsentTerms,
  DetailLevel,
  Initiator,
  Narrowed,
  Narrowing,
  PageRequest,
  PrivacyNotice,
  Revocation,
  RevocationOptions,
  RevocationOutcome,
  SessionsRevocation,
  TokenRevocation,
} from './types.js';
