import { DirectiveError } from '../errors.js';

/** What every directive file states of its directive. */
export interface DirectiveSpecification<Application, Name extends string = string> {
  /** Name in its specification, without `@`. A literal, so that a switch over the directives can be exhaustive. */
  readonly name: Name;
  /** Identities of the specifications that define it. */
  readonly identities: readonly string[];
  /** Definition that a subgraph's schema needs; absent for the standard ones, which federation defines. */
  definition?(localName: string): string;
  /** False for directives that have done their work once the supergraph is composed. */
  readonly composed: boolean;
  /** Whether somebody sees less because of it. Under such a name, a directive that no `@link` explains stops the start. */
  readonly protects: boolean;
  /**
   * Reads one application's arguments.
   *
   * @throws {DirectiveError} `INVALID_RULE` with the coordinate.
   */
  read(args: Readonly<Record<string, unknown>>, coordinate: string): Application;
}

/** OR of ANDs: met when at least one inner list is held as a whole. `[]` is never met, `[[]]` always. */
export type Alternatives = readonly (readonly string[])[];

export function readAlternatives(value: unknown, argument: string, coordinate: string): Alternatives {
  if (!Array.isArray(value) || !value.every((inner) => isStringList(inner))) {
    throw new DirectiveError('INVALID_RULE', `"${argument}" must be a list of lists of strings`, coordinate);
  }
  return value;
}

export function readStringList(value: unknown, argument: string, coordinate: string): readonly string[] {
  if (!isStringList(value)) {
    throw new DirectiveError('INVALID_RULE', `"${argument}" must be a list of strings`, coordinate);
  }
  return value;
}

export function readString(value: unknown, argument: string, coordinate: string): string {
  if (typeof value !== 'string' || value === '') {
    throw new DirectiveError('INVALID_RULE', `"${argument}" must be a string that is not empty`, coordinate);
  }
  return value;
}

function isStringList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string' && entry !== '');
}
