import { RefusedError } from '../errors.js';
import type { SuspensionCode } from './suspensions.js';

const RETRY_AFTER_SECONDS = '60';

/**
 * The token is valid and stays so, so that the answer is not 401: a client would throw it away and send its people through
 * sign-in. No challenge goes with it, since no other token would help. What is said tells of the application, never of a
 * person.
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
