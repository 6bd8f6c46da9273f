export { type Application, ApplicationRegister, type RegisterOptions } from './applications.js';
export { ApplicationError, type ApplicationErrorCode } from './errors.js';
export type { ClientRegistration } from './register.js';
