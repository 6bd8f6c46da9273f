import { isRecord, keyPath, kindOf } from '@behalf/directives/internal';
import { Ajv } from 'ajv';
import type { ErrorObject, Options } from 'ajv';
import formats from 'ajv-formats';
import { pathsToKey, suggestionFor } from './suggestion.js';
import { sentenceFor } from './sentences.js';

// ajv-formats is CommonJS, but its types say otherwise.
const addFormats = formats as unknown as (ajv: Ajv) => void;

/** A key of a file or of options that cannot be used. */
export interface ShapeProblem {
  /** The path of the key, as a person would write it: `issuers[0].audience`. Empty for the whole. */
  readonly path: string;
  /** Continues the path: `must not be empty`. It quotes no value. */
  readonly problem: string;
  /** The key is not in the schema, so the kind of its value explains nothing. */
  readonly isUnknownKey?: true;
}

/**
 * Compiles a JSON Schema into a check that describes the first problem as a person would.
 *
 * Besides JSON Schema, a schema can have `patternErrorMessage`, the sentence for its `pattern`: editors show it as well.
 *
 * @returns a function that returns undefined for a valid value; with `useDefaults` it fills in defaults
 */
export function shapeCheck(
  schema: object,
  options: Pick<Options, 'ownProperties' | 'useDefaults'>,
): (value: unknown) => ShapeProblem | undefined {
  const ajv = new Ajv({
    ...options,
    strict: true,
    discriminator: true,
    keywords: ['patternErrorMessage'],
    // The first error is not always the most telling.
    allErrors: true,
    verbose: true,
  });
  addFormats(ajv);
  const validate = ajv.compile(schema);
  return (value) =>
    unplainPart(value) ?? (validate(value) ? undefined : describe(validate.errors ?? [], schema));
}

/**
 * The first object that is not plain: ajv would take a Map, or an object that inherits its content, for an empty one. Files hold
 * plain ones only, programs may not.
 */
function unplainPart(value: unknown, path = '', above: readonly unknown[] = []): ShapeProblem | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (above.includes(value)) return { path, problem: 'contains itself' };
  if (!Array.isArray(value) && !isRecord(value))
    return { path, problem: `must be a plain object, not ${kindOf(value)}` };
  for (const [key, member] of Object.entries(value)) {
    const at = Array.isArray(value) ? `${path}[${key}]` : keyPath(path, key);
    const found = unplainPart(member, at, [...above, value]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function describe(errors: readonly ErrorObject[], schema: object): ShapeProblem {
  const error = mostTelling(errors);
  if (error === undefined) return { path: '', problem: 'is not valid' };
  const key = keyOf(error);
  const above = pathOf(error.instancePath);
  const path = key === undefined ? above : keyPath(above, key);
  const problem = sentenceFor(error);
  if (error.propertyName !== undefined) return { path, problem: `is not a valid name: it ${problem}` };
  const described = { path, problem: `${problem}${suggestionFor(error, (key) => pathsToKey(key, schema))}` };
  return error.keyword === 'additionalProperties' ? { ...described, isUnknownKey: true } : described;
}

function mostTelling(errors: readonly ErrorObject[]): ErrorObject | undefined {
  // A misspelt key makes another one missing.
  const [first] = errors;
  const unknownKey = errors.find(({ keyword }) => keyword === 'additionalProperties');
  if (unknownKey !== undefined || first === undefined) return unknownKey;
  // Each alternative has its errors, before that of their choice. An error further inside is of the alternative that was meant.
  const choice = errors.find(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf');
  if (choice === undefined || !first.instancePath.startsWith(choice.instancePath)) return first;
  const isWithin = ({ keyword, instancePath }: ErrorObject): boolean =>
    instancePath.length > choice.instancePath.length || (keyword !== 'type' && keyword !== choice.keyword);
  return errors.find(isWithin) ?? choice;
}

/** The key below `instancePath` that an error is about. */
function keyOf({ keyword, params, propertyName }: ErrorObject): string | undefined {
  if (propertyName !== undefined) return propertyName;
  switch (keyword) {
    case 'additionalProperties':
      return String(params.additionalProperty);
    case 'required':
    case 'dependentRequired':
    case 'dependencies':
      return String(params.missingProperty);
    case 'discriminator':
      return String(params.tag);
    default:
      return undefined;
  }
}

/** A JSON Pointer, as a person would write it. */
function pathOf(pointer: string): string {
  return (
    pointer
      .split('/')
      .slice(1)
      // RFC 6901 section 4.
      .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
      .reduce((path, step) => (/^\d+$/.test(step) ? `${path}[${step}]` : keyPath(path, step)), '')
  );
}
