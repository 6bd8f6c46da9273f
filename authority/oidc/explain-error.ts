import { HttpError } from '../http/respond.js';
import type { ErrorView } from '../pages/error.js';
import type { ErrorKind } from '../pages/messages/index.js';
import { errors } from './oidc-provider.js';

const OF_STATUS: Readonly<Record<number, ErrorKind>> = {
  403: 'foreign-form',
  404: 'no-page',
  405: 'no-page',
  408: 'unreadable-form',
  413: 'unreadable-form',
  415: 'unreadable-form',
  503: 'busy',
};

/** Explains an error to a person. Messages of oidc-provider are for developers. */
export function explainError(error: unknown): ErrorView {
  if (error instanceof HttpError) {
    const kind = OF_STATUS[error.status] ?? (error.status < 500 ? 'unacceptable-request' : 'failed');
    return { kind, code: error.code };
  }
  // Their messages are not for anybody outside.
  if (!(error instanceof errors.OIDCProviderError) || !error.expose)
    return { kind: 'failed', code: 'server_error' };
  const { error: code } = error;
  if (error instanceof errors.SessionNotFound) return { kind: 'expired', code };
  if (error instanceof errors.InvalidRequestUri) return { kind: 'expired', code };
  if (error instanceof errors.InvalidClient) return { kind: 'unknown-application', code };
  if (error instanceof errors.InvalidRedirectUri) return { kind: 'unknown-address', code };
  return { kind: 'unacceptable-request', code, detail: error.error_description };
}
