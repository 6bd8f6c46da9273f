import type { ActorClaim } from '@behalf/directives';

import type { Policy } from '@behalf/policy';
import { applyCeiling } from '@behalf/policy/internal';
import type { ExchangeRight } from '../client-oauth.js';
import {
  type AskedAccess,
  BEHALF_ACCESS,
  boundsOf,
  type GrantedAccess,
  isWithin,
  within,
} from '../details/access.js';
import { ACCESS_TOKEN_SECONDS, EXCHANGE_DEPTH } from './lifetimes.js';
import type { OwnToken } from './own-token.js';

/** @see exchangeTerms */
export interface ExchangeRequest {
  /** The subject token, verified and in force. */
  readonly token: OwnToken;
  /** The authenticated client, which becomes the actor. */
  readonly actor: string;
  readonly right: ExchangeRight;
  /** Undefined: everything possible. */
  readonly scopes: readonly string[] | undefined;
  readonly access: AskedAccess | undefined;
  readonly policy: Policy;
  readonly now: Date;
}

/** The content of the new token, which never exceeds the subject token. */
export interface ExchangeTerms {
  readonly kind: 'granted';
  readonly token: OwnToken;
  readonly consent: NonNullable<OwnToken['consent']>;
  readonly scopes: readonly string[];
  readonly act: ActorClaim;
  readonly access: GrantedAccess | undefined;
  readonly expiresAtSeconds: number;
}

export interface ExchangeRefusal {
  readonly kind: 'refused';
  readonly error: 'invalid_request' | 'invalid_scope' | 'invalid_authorization_details';
  readonly description: string;
}

/** Decides a token exchange (RFC 8693). This is the only place where an exchanged token could gain rights. */
export function exchangeTerms(request: ExchangeRequest): ExchangeTerms | ExchangeRefusal {
  const { actor, now, right, token } = request;
  if (token.consent === undefined) return refused('invalid_request', 'the subject token has no person');
  const holders = [token.clientId, ...token.actors];
  if (holders.includes(actor))
    return refused('invalid_request', 'the client acts in the subject token already');
  // The reverse of `may_act` (RFC 8693 section 4.4): the actor's registration names the clients whose tokens it may exchange.
  if (!holders.every((clientId) => right.from.includes(clientId))) {
    return refused('invalid_request', 'the subject token is not one that the client may exchange');
  }
  if (token.actors.length + 1 > (right.depth ?? EXCHANGE_DEPTH)) {
    return refused('invalid_request', 'too many actors stand behind each other');
  }
  const possible = possibleIn(request);
  const scopes = request.scopes ?? possible.scopes;
  const beyond = scopes.filter((name) => !possible.scopes.includes(name));
  if (beyond.length > 0)
    return refused('invalid_scope', `more than the client can have here: ${beyond.join(' ')}`);
  if (scopes.length === 0) return refused('invalid_scope', 'no scope is left');
  const all: GrantedAccess = {
    type: BEHALF_ACCESS,
    locations: token.access?.locations ?? audienceOf(token),
    scopes,
    purposes: possible.purposes,
    detail: token.consent.detail,
    levels: token.consent.levels ?? {},
    until: token.consent.until,
  };
  const left = request.access === undefined ? all : narrow(all, request.access, token.access);
  if (left === undefined) {
    return refused('invalid_authorization_details', 'more than the subject token was granted');
  }
  const nowSeconds = Math.floor(now.getTime() / 1000);
  return {
    kind: 'granted',
    token,
    consent: {
      ...token.consent,
      purposes: left.purposes,
      detail: left.detail,
      levels: left.levels,
      until: left.until,
    },
    scopes: left.scopes,
    act: actClaim([actor, ...token.actors]),
    access: request.access === undefined ? token.access && within(token.access, all) : left,
    expiresAtSeconds: Math.min(token.expiresAtSeconds, left.until, nowSeconds + ACCESS_TOKEN_SECONDS),
  };
}

/** Reduces the subject token to the policy's ceilings of the actor and of the client that it acts for. */
function possibleIn({ actor, now, policy, token }: ExchangeRequest) {
  const day = now.toISOString().slice(0, 10);
  const held = { scopes: token.scopes, purposes: token.consent?.purposes ?? [] };
  return applyCeiling(policy, actor, applyCeiling(policy, token.clientId, held, day), day);
}

/** RFC 9396 section 6.1: the request must lie within what was granted, or it is refused. */
function narrow(
  all: GrantedAccess,
  asked: AskedAccess,
  granted: GrantedAccess | undefined,
): GrantedAccess | undefined {
  const ceiling = granted === undefined ? all : within(granted, all);
  if (ceiling === undefined || !isWithin(asked, ceiling)) return undefined;
  return within(ceiling, boundsOf(asked, ceiling));
}

function audienceOf({ payload }: OwnToken): readonly string[] {
  return [payload.aud ?? []].flat();
}

function actClaim([current = '', ...earlier]: readonly string[]): ActorClaim {
  return earlier.length === 0 ? { sub: current } : { sub: current, act: actClaim(earlier) };
}

function refused(error: ExchangeRefusal['error'], description: string): ExchangeRefusal {
  return { kind: 'refused', error, description };
}
