export {
  type Application,
  ApplicationRegister,
  type IssuedSecret,
  type RegisterOptions,
} from './applications.js';
export { ApplicationError, applicationErrors, type ApplicationErrorCode } from './errors.js';
export type { ClientAuthentication, ClientOAuthOptions, ExchangeRight } from './oauth.js';
export type { ClientRegistration } from './register.js';
export type { StoredRegistration } from './registration.js';
