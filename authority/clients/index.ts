export {
  type Application,
  ApplicationRegister,
  type IssuedSecret,
  type RegisterOptions,
} from './applications.js';
export { ApplicationError, applicationErrors, type ApplicationErrorCode } from './errors.js';
export type { ClientAuthentication, ClientOAuthOptions, ExchangeRight } from '../client-oauth.js';
export type { ClientRegistration, StoredRegistration } from '../client-registration.js';
