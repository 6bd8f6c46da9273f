import { withoutUndefined } from '@behalf/directives/internal';
import { refuseContradictions } from './contradictions.js';
import { durationSeconds } from './durations.js';
import { PolicyError } from './errors.js';
import type { PolicyErrorCode } from './errors.js';
import { canonicalLanguage } from './language.js';
import { SENSITIVITIES } from './policy.js';
import type {
  CategoryPolicy,
  ClientPolicy,
  MinimizeRule,
  Policy,
  ScopePolicy,
  Sensitivity,
  StepUp,
} from './policy.js';
import schema from './schema.json' with { type: 'json' };
import { shapeCheck } from './shape.js';
import { parseYamlFile, readTextFile, requireKeys } from './text-file.js';

const MAX_WINDOW_SECONDS = 86_400;
const DEFAULT_COST_PER_REQUEST = 100;

/** The file as written; `schema.json` describes every key. */
interface PolicyFile {
  readonly language?: string;
  readonly scopes: Readonly<Record<string, Omit<ScopePolicy, 'name'>>>;
  readonly purposes?: Readonly<Record<string, { readonly sentence: string }>>;
  readonly categories?: Readonly<Record<string, CategoryEntry>>;
  readonly minimize?: readonly MinimizeEntry[];
  readonly roles?: Readonly<Record<string, { readonly mayGrant: readonly string[] }>>;
  readonly clients?: Readonly<Record<string, ClientEntry>>;
  readonly rateClasses?: Readonly<Record<string, RateClassEntry>>;
  readonly longestConsent?: Readonly<Partial<Record<Sensitivity, string>>>;
  readonly stepUp?: Readonly<Partial<Record<Sensitivity, StepUpEntry>>>;
}

interface CategoryEntry {
  readonly sentence: string;
  readonly sensitivity: Sensitivity;
  readonly levels?: Readonly<Record<string, { readonly sentence: string }>>;
}

interface MinimizeEntry {
  readonly when?: MinimizeRule['when'];
  readonly nothingLifts?: true;
  readonly levels?: Readonly<Record<string, string>>;
  readonly strictest?: readonly Sensitivity[];
}

interface RateClassEntry {
  readonly requests: number;
  readonly per: string;
  readonly costPerRequest?: number;
}

interface StepUpEntry {
  readonly access?: 'read' | 'write';
  readonly acrValues?: readonly string[];
  readonly maxAge?: string;
}

interface ClientEntry {
  readonly scopes: readonly string[];
  readonly purposes?: readonly string[];
  readonly longestConsent?: string;
  readonly rateClass?: string;
}

/**
 * Reads and checks a policy file (YAML or JSON).
 *
 * @throws {PolicyError} `FILE_UNREADABLE`, `POLICY_UNREADABLE`, `POLICY_INVALID`, `POLICY_CONTRADICTION`; the message begins with the
 * file or the path of the key
 *
 * @example
 * ```ts
 * import { readPolicy } from '@behalf/policy';
 *
 * const policy = await readPolicy('policy.yaml');
 * const scopes = [...policy.scopes.keys()];
 * ```
 */
export async function readPolicy(file: string): Promise<Policy> {
  const refuse = (code: PolicyErrorCode) => (problem: string) => new PolicyError(code, '', problem);
  const text = await readTextFile(file, refuse('FILE_UNREADABLE'));
  const content = parseYamlFile(text, file, refuse('POLICY_UNREADABLE'));
  return checkPolicy(requireKeys(content, file, refuse('POLICY_INVALID')));
}

const checkShape = shapeCheck(schema, { ownProperties: true });

/**
 * Checks the parsed content of a policy file: first its shape, then its references.
 *
 * @throws {PolicyError} `POLICY_INVALID`, `POLICY_CONTRADICTION`
 *
 * @example
 * ```ts
 * import { checkPolicy } from '@behalf/policy';
 *
 * const policy = checkPolicy({
 *   scopes: { 'accounts:read': { sentence: 'See your accounts', access: 'read', sensitivity: 'personal' } },
 *   clients: { 'budget-app': { scopes: ['accounts:read'] } },
 * });
 * ```
 */
export function checkPolicy(value: unknown): Policy {
  const found = checkShape(value);
  if (found !== undefined) throw new PolicyError('POLICY_INVALID', found.path, found.problem);
  const file = value as PolicyFile;
  // From here on, names are only keys of maps, so `__proto__` is a name like any other.
  const policy: Policy = {
    language: canonicalLanguage(file.language),
    scopes: mapOf(file.scopes, (scope, name) => ({ ...scope, name })),
    purposes: mapOf(file.purposes, (purpose, name) => ({ ...purpose, name })),
    categories: mapOf(file.categories, readCategory),
    minimize: (file.minimize ?? []).map(readMinimizeRule),
    roles: mapOf(file.roles, (role, name) => ({ ...role, name })),
    clients: mapOf(file.clients, readClient),
    rateClasses: mapOf(file.rateClasses, ({ requests, per, costPerRequest }, name) => ({
      name,
      requests,
      perSeconds: readWindow(per, `rateClasses.${name}.per`),
      costPerRequest: costPerRequest ?? DEFAULT_COST_PER_REQUEST,
    })),
    longestConsentSeconds: Object.fromEntries(
      Object.entries(file.longestConsent ?? {}).map(([sensitivity, duration]) => [
        sensitivity,
        readDuration(duration, `longestConsent.${sensitivity}`),
      ]),
    ),
    stepUp: new Map(
      SENSITIVITIES.flatMap((sensitivity) => {
        const entry = file.stepUp?.[sensitivity];
        return entry === undefined ? [] : [[sensitivity, readStepUp(entry, `stepUp.${sensitivity}`)]];
      }),
    ),
  };
  refuseContradictions(policy);
  return policy;
}

function mapOf<Entry, Read>(
  entries: Readonly<Record<string, Entry>> | undefined,
  read: (entry: Entry, name: string) => Read,
): ReadonlyMap<string, Read> {
  return new Map(Object.entries(entries ?? {}).map(([name, entry]) => [name, read(entry, name)]));
}

function readClient(entry: ClientEntry, clientId: string): ClientPolicy {
  const { scopes, purposes = [], longestConsent, rateClass } = entry;
  const longestConsentSeconds =
    longestConsent === undefined
      ? undefined
      : readDuration(longestConsent, `clients.${clientId}.longestConsent`);
  return withoutUndefined({ clientId, scopes, purposes, longestConsentSeconds, rateClass });
}

/** JavaScript gives keys that look like numbers first; names of levels begin with a letter. */
function readCategory({ levels = {}, ...entry }: CategoryEntry, name: string): CategoryPolicy {
  return {
    ...entry,
    name,
    levels: Object.entries(levels).map(([level, { sentence }]) => ({ name: level, sentence })),
  };
}

function readMinimizeRule(
  { when = {}, nothingLifts, levels, strictest = [] }: MinimizeEntry,
  index: number,
): MinimizeRule {
  const rule = {
    when,
    nothingLifts: nothingLifts === true,
    levels: new Map(Object.entries(levels ?? {})),
    strictest,
  };
  if (rule.nothingLifts || rule.levels.size > 0 || strictest.length > 0) return rule;
  throw new PolicyError(
    'POLICY_INVALID',
    `minimize[${index}]`,
    'must have nothingLifts, levels or strictest: it does nothing',
  );
}

function readStepUp({ access, acrValues, maxAge }: StepUpEntry, path: string): StepUp {
  if (acrValues === undefined && maxAge === undefined) {
    throw new PolicyError('POLICY_INVALID', path, 'must have acrValues, maxAge or both');
  }
  const maxAgeSeconds = maxAge === undefined ? undefined : readDuration(maxAge, `${path}.maxAge`);
  return withoutUndefined({ access, acrValues, maxAgeSeconds });
}

/** Counters stay in memory for the length of a window, and timers cannot run longer than some weeks. */
function readWindow(text: string, path: string): number {
  const seconds = readDuration(text, path);
  if (seconds <= MAX_WINDOW_SECONDS) return seconds;
  throw new PolicyError('POLICY_INVALID', path, 'must be at most a day (P1D)');
}

function readDuration(text: string, path: string): number {
  const seconds = durationSeconds(text);
  if (seconds === undefined) {
    throw new PolicyError(
      'POLICY_INVALID',
      path,
      'must be an ISO 8601 duration without years and months, such as P30D or PT1H, of at most ten years',
    );
  }
  return seconds;
}
