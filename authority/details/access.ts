import type { DetailLevel } from '../consent/types.js';

/** RFC 9396 section 2.1: the one `type` that this authority knows. */
export const BEHALF_ACCESS = 'behalf_access';

/** What a client asks for in one `authorization_details` object; what it leaves out, it leaves to the person. */
export interface AskedAccess {
  readonly type: typeof BEHALF_ACCESS;
  /** RFC 9396 section 2.2: the API, and nothing else. */
  readonly locations?: readonly string[];
  readonly scopes?: readonly string[];
  readonly purposes?: readonly string[];
  /** `minimal`: less detail is enough. */
  readonly detail?: DetailLevel;
  /** For no longer than this; epoch seconds. */
  readonly until?: number;
}

/** What was granted of it, as tokens carry it: everything is said. */
export interface GrantedAccess extends Required<AskedAccess> {
  readonly [more: string]: unknown;
}

/** What an access can be cut to. */
export type Bounds = Pick<GrantedAccess, 'scopes' | 'purposes' | 'detail' | 'until'>;

/** What is left of a granted access within these bounds: never more than either; undefined when no scope is left. */
export function within(granted: GrantedAccess, bounds: Bounds): GrantedAccess | undefined {
  const scopes = granted.scopes.filter((name) => bounds.scopes.includes(name));
  if (scopes.length === 0) return undefined;
  return {
    type: BEHALF_ACCESS,
    locations: granted.locations,
    scopes,
    purposes: granted.purposes.filter((name) => bounds.purposes.includes(name)),
    detail: lesserDetail(granted.detail, bounds.detail),
    until: Math.min(granted.until, bounds.until),
  };
}

/** Whether all that is asked for lies within what was granted (RFC 9396 section 6.1). */
export function isWithin(asked: AskedAccess, granted: GrantedAccess): boolean {
  const { detail, purposes = [], scopes = [], until = 0 } = asked;
  if (!scopes.every((name) => granted.scopes.includes(name))) return false;
  if (!purposes.every((name) => granted.purposes.includes(name))) return false;
  if (detail === 'full' && granted.detail === 'minimal') return false;
  return until <= granted.until;
}

/** The bounds that an asked access sets to a granted one. */
export function boundsOf(asked: AskedAccess, granted: GrantedAccess): Bounds {
  const { detail, purposes, scopes, until } = granted;
  return {
    scopes: asked.scopes ?? scopes,
    purposes: asked.purposes ?? purposes,
    detail: asked.detail ?? detail,
    until: asked.until ?? until,
  };
}

export function lesserDetail(one: DetailLevel, other: DetailLevel): DetailLevel {
  return one === 'full' && other === 'full' ? 'full' : 'minimal';
}
