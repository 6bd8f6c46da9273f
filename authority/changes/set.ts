import { SignJWT } from 'jose';

import type { SigningKey } from '../keys/signing-key.js';
import type { ChangeEvent } from './stream.js';

/** @see signSecurityEvent */
export interface SetContext {
  readonly issuer: string;
  readonly audience: string;
  readonly key: SigningKey;
}

/**
 * A Security Event Token (RFC 8417) with one CAEP event about an SSF complex subject (SSF 1.0, section 3.3). Every token that
 * matches all members of the subject is invalid: forever with `consent`, `session` (`sid`) or `token` (`jti`), otherwise if it
 * was issued at or before `event_timestamp`. A suspension names an `application`, a `scope`, or the whole `tenant` (this issuer).
 */
export async function signSecurityEvent(event: ChangeEvent, context: SetContext): Promise<string> {
  const occurredAtSeconds = Math.floor(event.occurred_at.getTime() / 1000);
  const { subject, clientId, consentId, everything, keyId, scope, sessionId, tokenId } = event.members;
  const payload = {
    sub_id: {
      format: 'complex',
      ...(subject === undefined ? {} : { user: { format: 'iss_sub', iss: context.issuer, sub: subject } }),
      ...(clientId === undefined ? {} : { application: { format: 'opaque', id: clientId } }),
      ...(consentId === undefined ? {} : { consent: { format: 'opaque', id: consentId } }),
      ...(sessionId === undefined ? {} : { session: { format: 'opaque', id: sessionId } }),
      ...(scope === undefined ? {} : { scope: { format: 'opaque', id: scope } }),
      ...(everything === undefined ? {} : { tenant: { format: 'opaque', id: context.issuer } }),
      ...(tokenId === undefined ? {} : { token: { format: 'jwt_id', iss: context.issuer, jti: tokenId } }),
      ...(keyId === undefined ? {} : { key: { format: 'opaque', id: keyId } }),
    },
    events: {
      [event.kind]: {
        event_timestamp: occurredAtSeconds,
        initiating_entity: event.initiator,
        ...(event.reason === null ? {} : { reason_admin: { en: event.reason } }),
      },
    },
  };
  return new SignJWT(payload)
    .setProtectedHeader({ alg: 'ES256', typ: 'secevent+jwt', kid: context.key.kid })
    .setIssuer(context.issuer)
    .setAudience(context.audience)
    .setIssuedAt(occurredAtSeconds)
    .setJti(event.jti)
    .sign(context.key.privateKey);
}
