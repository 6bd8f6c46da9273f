import { isExemptFromMinimize } from '../decide/minimization.js';
import { DirectiveError } from '../errors.js';
import type { MinimizationContext } from '../minimize/strategy.js';
import { denialError } from './denial.js';
import { requestStateOf } from './request-state.js';
import type { PseudonymizedField, RequestState } from './request-state.js';

/** Whose pseudonym is read, see {@link readPseudonym}. */
export interface PseudonymOwner {
  /** The client that was given it. */
  readonly clientId: string;
  /** The purposes of the consent under which it was. Default: none. */
  readonly purposes?: readonly string[];
}

/**
 * The pseudonyms under which the caller knows a value of a field with `@minimize(to: PSEUDONYMIZE)`: by the present key, and by
 * former ones that are still recognized. For arguments, by which clients send back what they were given.
 *
 * @param context the request's context value from `protectedContext`
 * @param coordinate of the field, `Type.field`
 * @throws {DirectiveError} `NO_PSEUDONYMS` for another field, `NOT_PROTECTED` for another context value
 *
 * @example
 * ```ts
 * import { pseudonymsOf, type ProtectedContext } from '@behalf/directives';
 *
 * const accounts = [{ id: 'a-1' }, { id: 'a-2' }];
 * export function account(_source: unknown, { id }: { id: string }, context: ProtectedContext): unknown {
 *   return accounts.find((row) => pseudonymsOf(context, 'Account.id', row.id).includes(id));
 * }
 * ```
 */
export function pseudonymsOf(context: unknown, coordinate: string, value: string): readonly string[] {
  const { field, state } = found(context, coordinate);
  const { pseudonyms } = field;
  const { delegation } = state;
  const own = { clientId: delegation?.clientId ?? '', purposes: delegation?.consent?.purposes };
  return pseudonyms.of(value, own, state.compiled.clock.now());
}

/**
 * Reads a pseudonym of a field with `@minimize(to: PSEUDONYMIZE, readableWith: …)`: the value for which some client got it. Only for
 * a caller whose delegation holds one of the alternatives of `readableWith`, and whose consent is not to the least detail.
 *
 * @param context the request's context value from `protectedContext`
 * @param coordinate of the field, `Type.field`
 * @returns undefined for what is no pseudonym of this field for that client, or not any more
 * @throws {GraphQLError} a denial, for another caller
 * @throws {DirectiveError} `NO_PSEUDONYMS` for a field whose pseudonyms nobody can read, `NOT_PROTECTED` for another context value
 *
 * @example
 * ```ts
 * import { readPseudonym, type ProtectedContext } from '@behalf/directives';
 *
 * type Arguments = { readonly pseudonym: string; readonly client: string };
 * export function reveal(_source: unknown, { client, pseudonym }: Arguments, context: ProtectedContext): string | undefined {
 *   return readPseudonym(context, 'Account.iban', pseudonym, { clientId: client, purposes: ['budgeting'] });
 * }
 * ```
 */
export function readPseudonym(
  context: unknown,
  coordinate: string,
  pseudonym: string,
  { clientId, purposes }: PseudonymOwner,
): string | undefined {
  const { field, state } = found(context, coordinate);
  const { pseudonyms } = field;
  const { readableWith } = pseudonyms;
  if (readableWith.length === 0) throw noPseudonyms(coordinate);
  if (!mayReadPseudonyms(field, state)) {
    throw denialError(coordinate, { authenticated: true, scopes: [readableWith] });
  }
  const owner: MinimizationContext = { clientId, purposes };
  return pseudonyms.read(pseudonym, owner, state.compiled.clock.now());
}

/**
 * Decided as whether a value is seen whole: a consent to the least detail permits neither. Nor does a level in force that leaves
 * less than the pseudonym.
 */
function mayReadPseudonyms(field: PseudonymizedField, state: RequestState): boolean {
  if (!isExemptFromMinimize(field.pseudonyms.readableWith, state.delegation)) return false;
  const inForce = state.statementOf(field.minimizationIndex);
  return inForce === undefined || inForce <= field.statementIndex;
}

function found(
  context: unknown,
  coordinate: string,
): { readonly state: RequestState; readonly field: PseudonymizedField } {
  const state = requestStateOf(context);
  if (state === undefined)
    throw new DirectiveError('NOT_PROTECTED', 'the context value does not come from protectedContext');
  const field = state.compiled.pseudonyms.get(coordinate);
  if (field === undefined) throw noPseudonyms(coordinate);
  return { state, field };
}

function noPseudonyms(coordinate: string): DirectiveError {
  return new DirectiveError('NO_PSEUDONYMS', 'the field has no pseudonyms that could be read so', coordinate);
}
