import { DirectiveError } from '../errors.js';
import { aClientKey, aVerifyingKey } from '../key-checks.js';
import {
  aBoolean,
  aClock,
  checkKeys,
  listOf,
  must,
  oneOf,
  text,
  wholeNumber,
  withMethods,
} from '../option-checks.js';
import type { Check } from '../option-checks.js';

type Given = Readonly<Record<string, unknown>>;

/** Plain HTTP is safe only on this machine. Matches the whole name: 127.evil.example belongs to someone else. */
const LOCAL_HOST = /^(?:localhost|\[::1\]|127(?:\.\d+){3})$/;
const EXEMPTION = 'gateway.allowInsecureGateway';
const MAX_TIMEOUT_MS = 60_000;

/** By whom the gateway's keys and tokens could otherwise be changed or read: the same rule as for the gateway's issuers. */
const address =
  (allowInsecure: boolean): Check =>
  (value) => {
    if (typeof value !== 'string') return must('a string', value);
    if (!URL.canParse(value)) return 'must be an absolute address, such as https://gateway.example';
    const { protocol, hostname, username, password } = new URL(value);
    if (username !== '' || password !== '') return 'must have no user information';
    if (protocol === 'https:') return undefined;
    if (protocol !== 'http:') return 'must be an https: address';
    if (allowInsecure || LOCAL_HOST.test(hostname)) return undefined;
    return `must be an https: address; ${EXEMPTION}: true permits http: in a network that you trust`;
  };

const keyList: Check = (value) => {
  const problem = listOf('JSON Web Keys', aVerifyingKey)(value);
  const isEmpty = Array.isArray(value) && value.length === 0;
  return isEmpty ? 'must not be empty: no token could be verified' : problem;
};

/** Options about tokens that are bound to one request. */
export const BINDING: Readonly<Record<'binding' | 'replay' | 'clock', Check>> = {
  binding: oneOf('required', 'accepted'),
  replay: withMethods('a memory of used tokens', ['use']),
  clock: aClock,
};

/** @throws {DirectiveError} `INVALID_OPTIONS`, naming the key */
export function checkTrust(trust: Given): void {
  const jwksUri = address(trust.allowInsecureGateway === true);
  const known = { issuer: text, jwksUri, keys: keyList, allowInsecureGateway: aBoolean };
  checkKeys('gateway.', trust, known, { required: ['issuer'], refuse: refuseOption });
  if ((trust.keys === undefined) === (trust.jwksUri === undefined))
    refuseOption('gateway', 'needs either jwksUri or keys');
}

/** @throws {DirectiveError} `INVALID_OPTIONS`, naming the key */
export function checkPassOn(passOn: Given, trust: Given): void {
  const endpoint = address(trust.allowInsecureGateway === true);
  const known = {
    endpoint,
    secret: text,
    privateKey: aClientKey,
    timeoutMs: wholeNumber('milliseconds', 1, MAX_TIMEOUT_MS),
  };
  checkKeys('passOn.', passOn, known, { required: ['endpoint'], refuse: refuseOption });
  if ((passOn.secret === undefined) === (passOn.privateKey === undefined))
    refuseOption('passOn', 'needs either secret or privateKey');
}

export function refuseOption(key: string, problem: string): never {
  throw new DirectiveError('INVALID_OPTIONS', `${key}: ${problem}`);
}
