import { isRecord, isStringArray } from '@behalf/directives/internal';
import { SENSITIVITIES } from './policy.js';
import type { Policy } from './policy.js';

type Test = (value: unknown) => boolean;
type Entry = Readonly<Record<string, unknown>>;

const isText: Test = (value) => typeof value === 'string' && value !== '';
const isPositive: Test = (value) => typeof value === 'number' && value > 0;
const isSensitivity: Test = (value) => (SENSITIVITIES as readonly unknown[]).includes(value);
const isAccess: Test = (value) => value === 'read' || value === 'write';
const optional =
  (test: Test): Test =>
  (value) =>
    value === undefined || test(value);

/** Each part that is a map, and what its entries must have. */
const MAPS: Readonly<
  Record<Exclude<keyof Policy, 'language' | 'longestConsentSeconds' | 'minimize'>, (entry: Entry) => boolean>
> = {
  scopes: ({ name, sentence, access, sensitivity, deprecated }) =>
    [name, sentence].every(isText) &&
    isAccess(access) &&
    isSensitivity(sensitivity) &&
    optional(isRecord)(deprecated),
  purposes: ({ name, sentence }) => [name, sentence].every(isText),
  categories: ({ name, sentence, sensitivity, levels }) =>
    [name, sentence].every(isText) &&
    isSensitivity(sensitivity) &&
    isListOf(levels, (level) => [level.name, level.sentence].every(isText)),
  roles: ({ name, mayGrant }) => isText(name) && isStringArray(mayGrant),
  clients: ({ clientId, scopes, purposes, longestConsentSeconds, rateClass }) =>
    isText(clientId) &&
    [scopes, purposes].every(isStringArray) &&
    optional(isPositive)(longestConsentSeconds) &&
    optional(isText)(rateClass),
  rateClasses: ({ name, requests, perSeconds, costPerRequest }) =>
    isText(name) && [requests, perSeconds, costPerRequest].every(isPositive),
  stepUp: ({ access, acrValues, maxAgeSeconds }) =>
    optional(isAccess)(access) && optional(isStringArray)(acrValues) && optional(isPositive)(maxAgeSeconds),
};

/**
 * Whether a value has the form of a policy that {@link readPolicy} or {@link checkPolicy} returned, rather than that of its file. It
 * does not check references again.
 */
export function isPolicy(value: unknown): value is Policy {
  if (!isRecord(value)) return false;
  const { language, longestConsentSeconds, minimize, ...maps } = value;
  if (!isListOf(minimize, isMinimizeRule)) return false;
  if (!isText(language) || !isRecord(longestConsentSeconds)) return false;
  if (!Object.entries(longestConsentSeconds).every(([of, most]) => isSensitivity(of) && isPositive(most)))
    return false;
  if (Object.keys(maps).some((part) => !Object.hasOwn(MAPS, part))) return false;
  return Object.entries(MAPS).every(([part, isEntry]) => isMapOf(value[part], isEntry));
}

function isMinimizeRule({ when, nothingLifts, levels, strictest }: Entry): boolean {
  if (!isRecord(when) || typeof nothingLifts !== 'boolean' || !isStringArray(strictest)) return false;
  if (!strictest.every(isSensitivity) || !(levels instanceof Map)) return false;
  const { clients, exceptClients, purposes, actor } = when;
  return (
    [...(levels as Map<unknown, unknown>)].flat().every(isText) &&
    [clients, exceptClients, purposes].every(optional(isStringArray)) &&
    optional((each) => typeof each === 'boolean')(actor)
  );
}

function isListOf(value: unknown, isEntry: (entry: Entry) => boolean): boolean {
  if (!Array.isArray(value)) return false;
  return (value as readonly unknown[]).every((entry) => isRecord(entry) && isEntry(entry));
}

function isMapOf(value: unknown, isEntry: (entry: Entry) => boolean): boolean {
  if (!(value instanceof Map)) return false;
  return [...(value as Map<unknown, unknown>)].every(
    ([name, entry]) => typeof name === 'string' && isRecord(entry) && isEntry(entry),
  );
}
