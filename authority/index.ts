export type { Account, NewAccount } from './accounts/register.js';
export type { PushRetry } from './ssf/push.js';
export type { StreamReceiver } from './ssf/receivers.js';
export type { ClientRegistration } from './client-registration.js';
export { AuthorityError, type AuthorityErrorCode } from './errors.js';
export type { ClientCertificateOptions } from './http/client-certificate.js';
export type { KeySchedule } from './keys/times.js';
export type { AuthorityLogCode } from './log-codes.js';
export type { AuditOptions, AuthorityOptions } from './options.js';
export type { ShutdownOptions } from '@behalf/http';
export type {
  ConsentMessages,
  ErrorKind,
  ErrorMessages,
  GoBackMessages,
  OtherPersonMessages,
  PageMessages,
  ProblemMessages,
  RemarkMessages,
  SignInMessages,
  SignOutMessages,
} from './pages/messages/index.js';
export type { DurationChoice } from './pages/consent.js';
export { type Authority, startAuthority } from './server.js';
