import { isRecord, isStringArray, readActorClaim, readConsentClaim } from '@behalf/directives/internal';
import type { ConsentClaim } from '@behalf/directives';
import type { JWTPayload } from 'jose';

import { MAX_EXCHANGE_DEPTH } from '../client-oauth.js';
import { readGrantedAccess } from '../details/read.js';
import type { GrantedAccess } from '../details/access.js';

/** Claim of an exchanged token: the `jti` of each token that it came from. See docs/decisions/0035. */
export const EXCHANGED_FROM = 'exchanged_from';

/** An access token of this authority, verified. */
export interface OwnToken {
  readonly tokenId: string;
  readonly subject: string;
  /** The client of the consent, or the client itself if there is no person. */
  readonly clientId: string;
  /** The actors, the current one first (RFC 8693 section 4.1). */
  readonly actors: readonly string[];
  readonly scopes: readonly string[];
  readonly issuedAtSeconds: number;
  readonly expiresAtSeconds: number;
  /** Absent if no person is involved (RFC 6749 section 4.4). */
  readonly consent: (ConsentClaim & { readonly until: number }) | undefined;
  readonly access: GrantedAccess | undefined;
  /** RFC 9449 section 6.1, RFC 8705 section 3.1. */
  readonly isSenderConstrained: boolean;
  readonly payload: Readonly<JWTPayload>;
}

/** Reads the claims of a token whose signature is good; undefined if one of them is not as this authority writes it. */
export function readOwnToken(payload: JWTPayload): OwnToken | undefined {
  const {
    act,
    authorization_details: details,
    client_id: clientId,
    cnf,
    exp,
    iat,
    jti,
    scope,
    sid,
    sub,
    [EXCHANGED_FROM]: exchangedFrom = [],
  } = payload;
  if (typeof clientId !== 'string' || sub === undefined || jti === undefined) return undefined;
  if (exp === undefined || iat === undefined) return undefined;
  if (scope !== undefined && typeof scope !== 'string') return undefined;
  const actors = act === undefined ? [] : actorsOf(act);
  if (actors === undefined) return undefined;
  if (sid !== undefined && typeof sid !== 'string') return undefined;
  if (!isExchangedFrom(exchangedFrom)) return undefined;
  const claim = payload['consent'] === undefined ? undefined : readConsentClaim(payload['consent']);
  if (payload['consent'] !== undefined && claim?.until === undefined) return undefined;
  return {
    tokenId: jti,
    subject: sub,
    clientId,
    actors,
    scopes: (scope ?? '').split(' ').filter((name) => name !== ''),
    issuedAtSeconds: iat,
    expiresAtSeconds: exp,
    consent: claim?.until === undefined ? undefined : { ...claim, until: claim.until },
    access: readGrantedAccess(details),
    isSenderConstrained: isRecord(cnf) && Object.keys(cnf).length > 0,
    payload,
  };
}

/** `sid`: the sign-in that it depends on. */
export function sessionIdOf({ payload: { sid } }: Pick<OwnToken, 'payload'>): string | undefined {
  return typeof sid === 'string' ? sid : undefined;
}

/** `jti` of each token that it was exchanged from, the nearest first. It ends with any of them. */
export function exchangedFromOf({ payload }: Pick<OwnToken, 'payload'>): readonly string[] {
  const claim = payload[EXCHANGED_FROM];
  return isExchangedFrom(claim) ? claim : [];
}

function isExchangedFrom(claim: unknown): claim is readonly string[] {
  return isStringArray(claim) && claim.length <= MAX_EXCHANGE_DEPTH;
}

function actorsOf(claim: unknown): readonly string[] | undefined {
  const outermost = readActorClaim(claim);
  if (outermost === undefined) return undefined;
  const actors: string[] = [];
  for (let actor: typeof outermost | undefined = outermost; actor !== undefined; actor = actor.act) {
    actors.push(actor.sub);
  }
  return actors;
}
