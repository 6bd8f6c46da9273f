import { SCOPE_TOKEN } from '../scope-token.js';
import { isRecord } from '@behalf/directives/internal';
import { invalidToken } from './bearer.js';

/**
 * The place of a claim: one member name, or the steps to a nested one. A name is taken as a whole, so
 * `https://example.com/roles`, with its dots and slashes, is one member.
 */
export type ClaimPath = string | readonly string[];

/** Names that a token holds in one place, and their names here. */
export interface ClaimSource {
  readonly from: ClaimPath;
  /** Put before each name. */
  readonly prefix?: string;
  /** The issuer's name → the name here. The list is exhaustive: names that it lacks are dropped. */
  readonly rename?: Readonly<Record<string, string>>;
}

/** One place, or several whose names are combined. */
export type ClaimMapping = ClaimPath | readonly ClaimSource[];

/** Passes if the claim exists, and equals this value if one is given. */
export interface ClaimTest {
  readonly from: ClaimPath;
  readonly is?: string;
}

/** Roles and policies are the issuer's names, spaces included, but without control characters. */
const NAME = /^[^\p{Cc}]{1,256}$/u;

type Payload = Readonly<Record<string, unknown>>;

/** The kind of names decides their spelling, and the reason if they are malformed. */
export type NameKind = 'SCOPE' | 'POLICIES' | 'ROLES';

/**
 * The names that a token holds in the mapped places: each a space-separated string (RFC 9068 section 2.2.3), or a list of
 * strings whose entries may contain spaces.
 *
 * @throws {RefusedError} 401 `INVALID_TOKEN` for an unreadable claim, and for one that the issuer keeps elsewhere
 */
export function readNames(payload: Payload, mapping: ClaimMapping, kind: NameKind): readonly string[] {
  return sourcesOf(mapping).flatMap((source) => readSource(payload, source, kind));
}

function sourcesOf(mapping: ClaimMapping): readonly ClaimSource[] {
  if (typeof mapping === 'string') return [{ from: mapping }];
  return isPath(mapping) ? [{ from: mapping }] : mapping;
}

function isPath(mapping: readonly string[] | readonly ClaimSource[]): mapping is readonly string[] {
  return mapping.every((step) => typeof step === 'string');
}

function readSource(payload: Payload, { from, prefix = '', rename }: ClaimSource, kind: NameKind): string[] {
  if (isElsewhere(payload, from)) throw invalidToken(`${kind}_ELSEWHERE`);
  const value = claimAt(payload, from);
  if (value === undefined) return [];
  const words = typeof value === 'string' ? value.split(' ').filter((word) => word !== '') : value;
  if (!Array.isArray(words)) throw invalidToken(`${kind}_MALFORMED`);
  const names: string[] = [];
  for (const word of words as unknown[]) {
    if (typeof word !== 'string') throw invalidToken(`${kind}_MALFORMED`);
    if (rename !== undefined && !Object.hasOwn(rename, word)) continue;
    const name = `${prefix}${rename?.[word] ?? word}`;
    // Scopes travel in a space-separated list: one with a space would become two.
    if (!(kind === 'SCOPE' ? SCOPE_TOKEN : NAME).test(name)) throw invalidToken(`${kind}_MALFORMED`);
    names.push(name);
  }
  return names;
}

/** The value at this place, or undefined. Inherited members do not count. */
export function claimAt(payload: Payload, path: ClaimPath): unknown {
  let value: unknown = payload;
  for (const step of typeof path === 'string' ? [path] : path) {
    if (!isRecord(value) || !Object.hasOwn(value, step)) return undefined;
    value = value[step];
  }
  return value;
}

/**
 * OpenID Connect Core section 5.6.2: the claim is distributed, and the token only says where it is. Entra does this for the
 * groups of a person with too many (overage). Continuing without them would ignore what the issuer meant.
 */
function isElsewhere(payload: Payload, path: ClaimPath): boolean {
  const [first] = typeof path === 'string' ? [path] : path;
  const names = claimAt(payload, '_claim_names');
  return first !== undefined && isRecord(names) && Object.hasOwn(names, first);
}

export function passes(payload: Payload, { from, is }: ClaimTest): boolean {
  const value = claimAt(payload, from);
  return is === undefined ? value !== undefined && value !== null : value === is;
}
