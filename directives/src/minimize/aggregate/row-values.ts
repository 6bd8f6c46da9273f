import { isSpecifiedScalarType } from 'graphql';
import { FinishedValue, sentForm, serializeLeaf } from '../finished-value.js';
import type { GroupField } from './statistic-type.js';

/** A row of which something is read that is not there, or not what the schema says. It is not counted. */
export const UNREADABLE: unique symbol = Symbol('unreadable');

export type GroupValue = string | number | bigint | boolean | null;

/** What a row has of a grouping, as its field would write it: rows are together if a client could not tell them apart. */
export function groupValueOf(
  row: object,
  { mayBeNull, name, type }: GroupField,
): GroupValue | typeof UNREADABLE {
  const value = propertyOf(row, name);
  if (value === null || value === undefined) return mayBeNull ? null : UNREADABLE;
  try {
    const serialized = sentForm(serializeLeaf(type, value));
    if (serialized instanceof Date) return serialized.toISOString();
    return isGroupValue(serialized) ? serialized : UNREADABLE;
  } catch {
    // The message may quote the value.
    return UNREADABLE;
  }
}

function isGroupValue(value: unknown): value is Exclude<GroupValue, null> {
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value === 'string' || typeof value === 'bigint' || typeof value === 'boolean';
}

/** A group's value for the field that has its name: a custom scalar or an enum may not take what it wrote. */
export function groupOutput(value: GroupValue | undefined, { type }: GroupField): unknown {
  if (value === null || value === undefined) return null;
  return isSpecifiedScalarType(type) ? value : new FinishedValue(value);
}

/**
 * Whose a row is. A whole number and its text are one person: databases return either.
 *
 * @returns null for a row that is nobody's
 */
export function subjectOfRow(row: object, property: string): string | null | typeof UNREADABLE {
  const value = numberOrText(propertyOf(row, property));
  if (value === null) return null;
  if (typeof value === 'string') return value === '' ? UNREADABLE : value;
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return String(value);
  return UNREADABLE;
}

/** A number, or the text of one, as JSON has it: decimals are often objects that write themselves. */
export function numberOrText(value: unknown): string | number | bigint | null | typeof UNREADABLE {
  if (value === null || value === undefined) return null;
  const sent = sentForm(value);
  return typeof sent === 'string' || typeof sent === 'number' || typeof sent === 'bigint' ? sent : UNREADABLE;
}

export function propertyOf(row: object, name: string): unknown {
  return (row as Readonly<Record<string, unknown>>)[name];
}
