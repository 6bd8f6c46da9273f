import type { ErrorObject } from 'ajv';
import { kindOf } from '@behalf/directives/internal';

type Describe = (error: ErrorObject) => string;

const KINDS: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  integer: 'a whole number',
  null: 'null',
  number: 'a number',
  object: 'an object',
  string: 'a string',
};

const FORMATS: Readonly<Record<string, string>> = {
  uri: 'an absolute address, such as https://login.example',
};

const sizeSentence =
  (bound: 'least' | 'most', one: string, several: string): Describe =>
  ({ params }) => {
    const limit = Number(params.limit);
    if (bound === 'least' && limit === 1 && one === 'character') return 'must not be empty';
    return `must have at ${bound} ${limit === 1 ? `one ${one}` : `${limit} ${several}`}`;
  };

/** A sentence for each keyword of JSON Schema; it continues the path of the key. */
const SENTENCES: Readonly<Record<string, Describe>> = {
  additionalProperties: () => 'is not a known key',
  anyOf: alternatives,
  const: ({ params }) => `must be ${words([params.allowedValue])}`,
  dependencies: neededBy,
  dependentRequired: neededBy,
  discriminator: ({ params, parentSchema }) => `must be ${tagValues(String(params.tag), parentSchema)}`,
  enum: ({ params }) => `must be ${words(params.allowedValues as unknown[])}`,
  exclusiveMaximum: ({ params }) => `must be less than ${String(params.limit)}`,
  exclusiveMinimum: ({ params }) => `must be more than ${String(params.limit)}`,
  format: ({ params }) => `must be ${FORMATS[String(params.format)] ?? `a valid ${String(params.format)}`}`,
  maxItems: sizeSentence('most', 'entry', 'entries'),
  maxLength: sizeSentence('most', 'character', 'characters'),
  maxProperties: sizeSentence('most', 'key', 'keys'),
  maximum: ({ params }) => `must be at most ${String(params.limit)}`,
  minItems: sizeSentence('least', 'entry', 'entries'),
  minLength: sizeSentence('least', 'character', 'characters'),
  minProperties: sizeSentence('least', 'key', 'keys'),
  minimum: ({ params }) => `must be at least ${String(params.limit)}`,
  multipleOf: ({ params }) => `must be a multiple of ${String(params.multipleOf)}`,
  oneOf: alternatives,
  pattern: ({ parentSchema }) => String(parentSchema?.patternErrorMessage ?? 'does not have the right form'),
  required: () => 'is missing',
  type: ({ params, data }) => `must be ${kindWords(params.type)}${insteadOf(data, params.type)}`,
  uniqueItems: ({ params }) =>
    `must not list a value twice, as entries ${Number(params.j) + 1} and ${Number(params.i) + 1} do`,
};

/** Describes an error of ajv, without quoting the value. It must have been found with `verbose`. */
export function sentenceFor(error: ErrorObject): string {
  return SENTENCES[error.keyword]?.(error) ?? 'is not valid';
}

function kindWords(type: unknown): string {
  const types = Array.isArray(type) ? type : [type];
  return types.map((each) => KINDS[String(each)] ?? String(each)).join(' or ');
}

/** In YAML a key without a value is null, and a number is easily given in quotes. */
function insteadOf(data: unknown, type: unknown): string {
  if (data === null) return ', but has no value';
  if (typeof data === 'number' && (type === 'integer' || type === 'number')) return '';
  return `, not ${kindOf(data)}`;
}

function alternatives({ parentSchema, keyword }: ErrorObject): string {
  const branches = (parentSchema?.[keyword] ?? []) as readonly Readonly<Record<string, unknown>>[];
  const kinds = branches.flatMap(({ type }) => (type === undefined ? [] : [kindWords(type)]));
  return kinds.length === 0 ? 'is none of what it can be' : `must be ${[...new Set(kinds)].join(' or ')}`;
}

function neededBy({ params }: ErrorObject): string {
  return `is missing, and ${String(params.property)} needs it`;
}

/** The values of the member that selects one of several shapes. */
function tagValues(tag: string, parentSchema: ErrorObject['parentSchema']): string {
  const branches = (parentSchema?.oneOf ?? []) as readonly {
    readonly properties?: Readonly<Record<string, { readonly const?: unknown }>>;
  }[];
  return words(branches.flatMap(({ properties }) => properties?.[tag]?.const ?? []));
}

function words(values: readonly unknown[]): string {
  const listed = values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value)));
  return listed.length === 1 ? String(listed[0]) : `one of ${listed.join(', ')}`;
}
