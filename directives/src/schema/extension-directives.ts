import { DirectiveError } from '../errors.js';

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
      if (!isRecord(entry) || typeof entry.name !== 'string') throw unreadable(coordinate);
      return { name: entry.name, args: readArguments(entry.args ?? {}, coordinate) };
    });
  }
  if (!isRecord(given)) throw unreadable(coordinate);
  return Object.entries(given).flatMap(([name, applied]) => {
    const applications: readonly unknown[] = Array.isArray(applied) ? applied : [applied];
    return applications.map((args) => ({ name, args: readArguments(args, coordinate) }));
  });
}

function readArguments(args: unknown, coordinate: string): GivenDirective['args'] {
  if (!isRecord(args)) throw unreadable(coordinate);
  return args;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unreadable(coordinate: string): DirectiveError {
  return new DirectiveError(
    'INVALID_RULE',
    'directives are neither { name: arguments } nor [{ name, args }]',
    coordinate,
  );
}
