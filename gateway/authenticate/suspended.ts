import type { SuspensionCode } from '@behalf/revocation/internal';
import { RefusedError } from '../errors.js';

const RETRY_AFTER_SECONDS = '60';

/**
 * The token stays valid, so the status is not 401: a client would discard it and send its people through sign-in. There is no
 * challenge, since no other token would help. The answer concerns the application, never a person.
 */
export function suspended(code: SuspensionCode): RefusedError {
  if (code === 'CLIENT_SUSPENDED') {
    return new RefusedError({ code, message: 'The application is suspended', status: 403 });
  }
  return new RefusedError({
    code,
    message: 'Nothing is done on anybody’s behalf at the moment',
    status: 503,
    headers: new Map([['retry-after', RETRY_AFTER_SECONDS]]),
  });
}
