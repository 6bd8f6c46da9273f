import type { ConsentLevels } from '@behalf/directives';
import type { DetailLevel } from '../consent/types.js';
import { joinLevels } from '../consent/levels.js';

/** RFC 9396 section 2.1: the one `type` that this authority knows. */
export const BEHALF_ACCESS = 'behalf_access';

/** The access requested by one `authorization_details` object. What it omits is left to the person. */
export interface AskedAccess {
  readonly type: typeof BEHALF_ACCESS;
  /** RFC 9396 section 2.2: only the API. */
  readonly locations?: readonly string[];
  readonly scopes?: readonly string[];
  readonly purposes?: readonly string[];
  /** `minimal`: less detail suffices. */
  readonly detail?: DetailLevel;
  /** Levels of detail that suffice, by data category or field, with those before them. */
  readonly levels?: ConsentLevels;
  /** The latest end, in epoch seconds. */
  readonly until?: number;
}

/** The granted access, as tokens carry it, with every member present. */
export interface GrantedAccess extends Required<AskedAccess> {
  readonly [more: string]: unknown;
}

/** The bounds that an access can be reduced to. */
export type Bounds = Pick<GrantedAccess, 'scopes' | 'purposes' | 'detail' | 'levels' | 'until'>;

/** Reduces a granted access to these bounds; undefined if no scope is left. */
export function within(granted: GrantedAccess, bounds: Bounds): GrantedAccess | undefined {
  const scopes = granted.scopes.filter((name) => bounds.scopes.includes(name));
  if (scopes.length === 0) return undefined;
  return {
    type: BEHALF_ACCESS,
    locations: granted.locations,
    scopes,
    purposes: granted.purposes.filter((name) => bounds.purposes.includes(name)),
    detail: lesserDetail(granted.detail, bounds.detail),
    levels: joinLevels(granted.levels, bounds.levels),
    until: Math.min(granted.until, bounds.until),
  };
}

/** Whether the requested access lies within the granted one (RFC 9396 section 6.1). */
export function isWithin(asked: AskedAccess, granted: GrantedAccess): boolean {
  const { detail, purposes = [], scopes = [], until = 0 } = asked;
  if (!scopes.every((name) => granted.scopes.includes(name))) return false;
  if (!purposes.every((name) => granted.purposes.includes(name))) return false;
  if (detail === 'full' && granted.detail === 'minimal') return false;
  return until <= granted.until;
}

/** The bounds that a requested access sets to a granted one. */
export function boundsOf(asked: AskedAccess, granted: GrantedAccess): Bounds {
  const { detail, levels, purposes, scopes, until } = granted;
  return {
    scopes: asked.scopes ?? scopes,
    purposes: asked.purposes ?? purposes,
    detail: asked.detail ?? detail,
    levels: asked.levels ?? levels,
    until: asked.until ?? until,
  };
}

export function lesserDetail(one: DetailLevel, other: DetailLevel): DetailLevel {
  return one === 'full' && other === 'full' ? 'full' : 'minimal';
}
