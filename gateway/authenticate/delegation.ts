import {
  readActorClaim,
  readConsentClaim,
  serviceSubject,
  withoutUndefined,
} from '@behalf/directives/internal';
import type { ActorClaim, Delegation } from '@behalf/directives';
import { invalidToken } from './bearer.js';
import { detailInForce } from '@behalf/policy/internal';
import { claimAt, passes, readNames } from './claims.js';
import type { VerifiedAccessToken } from './issuers.js';

export interface ReadDelegation {
  readonly delegation: Delegation;
  /** The same by the issuer's own names, which its revocations use. */
  readonly issuerDelegation: Delegation;
}

/**
 * Reads a verified token as a delegation. An unreadable claim refuses the token: continuing without it would ignore what the
 * issuer meant.
 *
 * @throws {RefusedError} 401 `INVALID_TOKEN`
 */
export function readDelegation(verified: VerifiedAccessToken): ReadDelegation {
  const { issuer, payload } = verified;
  const names = issuer.claims ?? {};
  if (!(names.required ?? []).every((test) => passes(payload, test))) throw invalidToken('CLAIM_REQUIRED');
  const clientId = claimAt(payload, names.clientId ?? 'client_id');
  if (typeof clientId !== 'string' || clientId === '') throw invalidToken('CLIENT_MISSING');
  const person = claimAt(payload, names.subject ?? 'sub');
  if (typeof person !== 'string' || person === '') throw invalidToken('SUBJECT_MALFORMED');
  const consent = payload.consent === undefined ? undefined : readConsentClaim(payload.consent);
  if (payload.consent !== undefined && consent === undefined) throw invalidToken('CONSENT_MALFORMED');
  const actor = payload.act === undefined ? undefined : readActorClaim(payload.act);
  if (payload.act !== undefined && actor === undefined) throw invalidToken('ACTOR_MALFORMED');
  // RFC 9068 section 2.2: without a resource owner, `sub` is the client.
  const isService =
    payload.sub === clientId || (names.service !== undefined && passes(payload, names.service));
  if (isService && consent !== undefined) throw invalidToken('SERVICE_WITH_CONSENT');

  const issuerDelegation: Delegation = withoutUndefined({
    // Not mapped: the issuer's revocations use `sub`.
    subject: payload.sub,
    clientId,
    service: isService ? true : undefined,
    scopes: new Set(readNames(payload, names.scopes ?? 'scope', 'SCOPE')),
    policies: new Set(names.policies === undefined ? [] : readNames(payload, names.policies, 'POLICIES')),
    roles: readNames(payload, names.roles ?? 'roles', 'ROLES'),
    consent,
    actor,
  });
  const client = qualify(verified, clientId);
  return {
    issuerDelegation,
    delegation: withoutUndefined({
      ...issuerDelegation,
      // What the person chose holds without a policy as well.
      detail: detailInForce(undefined, issuerDelegation),
      clientId: client,
      subject: isService ? serviceSubject(client) : qualify(verified, person),
      consent: consent === undefined ? undefined : { ...consent, id: qualify(verified, consent.id) },
      actor: actor === undefined ? undefined : qualifyActor(verified, actor),
    }),
  };
}

/** @throws {RefusedError} for a name that would pass for another issuer's, or a service's */
function qualify({ issuer, namespaces }: VerifiedAccessToken, name: string): string {
  const qualified = namespaces.qualify(issuer.namespace, name);
  if (qualified === undefined) throw invalidToken('NAME_RESERVED');
  return qualified;
}

function qualifyActor(verified: VerifiedAccessToken, { sub, act }: ActorClaim): ActorClaim {
  const qualified = qualify(verified, sub);
  return act === undefined ? { sub: qualified } : { sub: qualified, act: qualifyActor(verified, act) };
}
