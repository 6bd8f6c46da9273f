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
  // Members that are undefined are not in the JSON that is signed.
  const payload = {
    sub_id: {
      format: 'complex',
      user: subject === undefined ? undefined : { format: 'iss_sub', iss: context.issuer, sub: subject },
      application: opaque(clientId),
      consent: opaque(consentId),
      session: opaque(sessionId),
      scope: opaque(scope),
      tenant: opaque(everything === undefined ? undefined : context.issuer),
      token: tokenId === undefined ? undefined : { format: 'jwt_id', iss: context.issuer, jti: tokenId },
      key: opaque(keyId),
    },
    events: {
      [event.kind]: {
        event_timestamp: occurredAtSeconds,
        initiating_entity: event.initiator,
        reason_admin: event.reason === null ? undefined : { en: event.reason },
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

function opaque(id: string | undefined): object | undefined {
  return id === undefined ? undefined : { format: 'opaque', id };
}
