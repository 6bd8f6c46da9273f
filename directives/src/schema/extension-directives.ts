import { DirectiveError } from '../errors.js';
import { isRecord } from '../is-record.js';
import { kindOf } from '../kind-of.js';

/** One application of a directive from outside of SDL. */
export interface GivenDirective {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/**
 * Reads directives from an object: `extensions.directives` of a schema element, where graphql-tools, Pothos and others store
 * them, or the options of `protectSchema`. Two forms are known: `{ name: args }` with a list of `args` for a repeated one, and
 * `[{ name, args }]`.
 *
 * @throws {DirectiveError} `INVALID_RULE` for any other form, which may have been meant as a rule
 */
export function readGivenDirectives(given: unknown, coordinate: string): readonly GivenDirective[] {
  if (given === undefined || given === null) return [];
  if (Array.isArray(given)) {
    return (given as readonly unknown[]).map((entry) => {
      if (!isRecord(entry) || typeof entry.name !== 'string')
        throw invalid(coordinate, `each entry of a list must be { name, args }, not ${formOf(entry)}`);
      return { name: entry.name, args: readArguments(entry.args ?? {}, entry.name, coordinate) };
    });
  }
  if (!isRecord(given))
    throw invalid(coordinate, `directives must be { name: args } or [{ name, args }], not ${formOf(given)}`);
  return Object.entries(given).flatMap(([name, applied]) => {
    const applications: readonly unknown[] = Array.isArray(applied) ? applied : [applied];
    return applications.map((args) => ({ name, args: readArguments(args, name, coordinate) }));
  });
}

function readArguments(args: unknown, name: string, coordinate: string): GivenDirective['args'] {
  if (isRecord(args)) return args;
  throw invalid(coordinate, `the arguments of ${name} must be an object ({} for none), not ${formOf(args)}`);
}

function invalid(coordinate: string, problem: string): DirectiveError {
  return new DirectiveError('INVALID_RULE', problem, coordinate);
}

/** The form that was found, with the keys of an object: they are the author's own, not a caller's. */
function formOf(value: unknown): string {
  return isRecord(value) ? `{ ${Object.keys(value).join(', ')} }` : kindOf(value);
}
