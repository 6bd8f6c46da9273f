import { isRecord } from '../is-record.js';
import type { FilterGate } from './filter-gate.js';
import type { FilteredMember, FilteredMembers, FilterInputs } from './filter-inputs.js';

/** `sent`: as a client sends it, enum values by name. `coerced`: as graphql-js gives it to resolvers, with the schema's defaults. */
export type ValueForm = 'sent' | 'coerced';

/** The first condition that the arguments of a resolver come under and that is refused. */
export interface RefusedArgument<Refusal> {
  readonly argument: string;
  readonly gate: FilterGate;
  readonly refusal: Refusal;
}

/**
 * Decides the arguments that a resolver gets. Null counts as used, because a resolver may take it for "is null". A default of the
 * schema does not, and neither does the same value from a caller, who changes nothing by it.
 *
 * @param refusalOf the decision on one condition
 */
export function refusedArgument<Refusal>(
  args: Readonly<Record<string, unknown>>,
  members: FilteredMembers,
  inputs: FilterInputs,
  refusalOf: (gate: FilterGate) => Refusal | undefined,
): RefusedArgument<Refusal> | undefined {
  for (const [argument, member] of members) {
    if (!Object.hasOwn(args, argument)) continue;
    for (const gate of gatesInMember(args[argument], member, inputs, 'coerced')) {
      const refusal = refusalOf(gate);
      if (refusal !== undefined) return { argument, gate, refusal };
    }
  }
  return undefined;
}

/** The conditions that an argument, or a field of an input object, comes under with this value. */
function gatesInMember(
  value: unknown,
  member: FilteredMember,
  inputs: FilterInputs,
  form: ValueForm,
): ReadonlySet<FilterGate> {
  const gates = new Set<FilterGate>();
  const pending: Pending = [];
  addMember(value, member, form, gates, pending);
  return addInside(pending, inputs, form, gates);
}

/**
 * The conditions that a value comes under.
 *
 * @param type name of its input type; lists do not matter
 */
export function gatesInValue(
  value: unknown,
  type: string,
  inputs: FilterInputs,
  form: ValueForm,
): ReadonlySet<FilterGate> {
  return addInside([[value, type]], inputs, form, new Set());
}

/** Values, each with the name of its input type. */
type Pending = [unknown, string][];

/** Visits everything in the values once. No recursion, because a client chooses the depth. */
function addInside(
  pending: Pending,
  inputs: FilterInputs,
  form: ValueForm,
  gates: Set<FilterGate>,
): ReadonlySet<FilterGate> {
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [value, type] = next;
    if (Array.isArray(value)) {
      for (const entry of value as readonly unknown[]) pending.push([entry, type]);
      continue;
    }
    const input = inputs.input(type);
    if (input?.kind === 'enum') {
      const named = form === 'sent' ? input.byName.get(value as string) : undefined;
      if (named !== undefined) gates.add(named);
      if (form === 'coerced') for (const gate of input.byValue.get(value) ?? []) gates.add(gate);
    } else if (input !== undefined && typeof value === 'object' && value !== null) {
      for (const [name, entry] of Object.entries(value)) {
        const member = input.members.get(name);
        if (member !== undefined) addMember(entry, member, form, gates, pending);
      }
    }
  }
  return gates;
}

function addMember(
  value: unknown,
  { gate, inside, fallback }: FilteredMember,
  form: ValueForm,
  gates: Set<FilterGate>,
  pending: Pending,
): void {
  if (value === undefined || (form === 'coerced' && isSame(value, fallback))) return;
  if (gate !== undefined) gates.add(gate);
  if (inside !== undefined) pending.push([value, inside]);
}

/** Whether a value is the schema's default. graphql-js makes some objects with a prototype, and some without. */
function isSame(value: unknown, fallback: unknown): boolean {
  if (Object.is(value, fallback)) return true;
  // Only as deep as the default, which the schema's author wrote.
  if (Array.isArray(value) && Array.isArray(fallback))
    return value.length === fallback.length && value.every((entry, index) => isSame(entry, fallback[index]));
  if (!isRecord(value) || !isRecord(fallback)) return false;
  const entries = Object.entries(value);
  return (
    entries.length === Object.keys(fallback).length &&
    entries.every(([key, entry]) => Object.hasOwn(fallback, key) && isSame(entry, fallback[key]))
  );
}
