import { DirectiveError } from '../errors.js';

/** OR of ANDs: met if at least one inner list is held as a whole. `[]` is never met, `[[]]` always. */
export type Alternatives = readonly (readonly string[])[];

/** Arguments of one application of a directive, as plain values. */
export type Arguments = Readonly<Record<string, unknown>>;

/** @throws {DirectiveError} `INVALID_RULE` */
export function readAlternatives(value: unknown, argument: string, coordinate: string): Alternatives {
  if (!Array.isArray(value) || !value.every((inner) => isStringList(inner))) {
    throw new DirectiveError('INVALID_RULE', `"${argument}" must be a list of lists of strings`, coordinate);
  }
  return value;
}

/** @throws {DirectiveError} `INVALID_RULE` */
export function readStringList(value: unknown, argument: string, coordinate: string): readonly string[] {
  if (!isStringList(value)) {
    throw new DirectiveError('INVALID_RULE', `"${argument}" must be a list of strings`, coordinate);
  }
  return value;
}

/** @throws {DirectiveError} `INVALID_RULE` */
export function readString(value: unknown, argument: string, coordinate: string): string {
  if (typeof value !== 'string' || value === '') {
    throw new DirectiveError('INVALID_RULE', `"${argument}" must be a string that is not empty`, coordinate);
  }
  return value;
}

function isStringList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string' && entry !== '');
}

/** The alternatives in words, `a & b | c`. */
export function alternativesText(alternatives: Alternatives): string {
  return alternatives.map((names) => names.join(' & ')).join(' | ');
}
