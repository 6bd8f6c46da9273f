import { Kind } from 'graphql';
import type { SelectionNode } from 'graphql';
import { describe, expect, it } from 'vitest';
import { Conditions } from '../../../gateway/authorize/conditions.js';
import { analyze, clientOf } from './support.js';

const VARIABLES =
  '($b: Boolean, $on: Boolean = true, $off: Boolean = false, $none: Boolean = null, $t: Boolean = "true")';

/** The conditions of an operation with this selection, and the selection. */
function selected(
  text: string,
  variables: Readonly<Record<string, unknown>> = {},
): { readonly conditions: Conditions; readonly selection: SelectionNode } {
  const client = clientOf(`query ${VARIABLES} { ${text} }`);
  const [selection] = client.operation.selectionSet.selections;
  if (selection === undefined) throw new Error('no selection');
  return { conditions: new Conditions(analyze(client), variables), selection };
}

function isLeftOut(text: string, variables?: Readonly<Record<string, unknown>>): boolean {
  const { conditions, selection } = selected(text, variables);
  return conditions.leavesOut(selection);
}

describe('a selection', () => {
  it.each([
    ['open @skip(if: true)', true],
    ['open @skip(if: false)', false],
    ['open @include(if: true)', false],
    ['open @include(if: false)', true],
    ['... @skip(if: true) { open }', true],
    ['...F @include(if: false)', true],
    ['open @skip(if: false) @include(if: false)', true],
    ['open @include(if: true) @skip(if: true)', true],
    ['open @include(if: true) @skip(if: false)', false],
    ['open', false],
    ['open @note(if: true)', false],
    ['open @note(if: false)', false],
    ['open @note(if: false) @skip(if: true)', true],
  ])('is skipped or not by what is written: %s', (text, isSkipped) => {
    expect(isLeftOut(text)).toBe(isSkipped);
  });

  it.each([
    ['open @skip(if: $b)', { b: true }, true],
    ['open @skip(if: $b)', { b: false }, false],
    ['open @include(if: $b)', { b: true }, false],
    ['open @include(if: $b)', { b: false }, true],
    ['open @skip(if: $on)', {}, true],
    ['open @skip(if: $off)', {}, false],
    ['open @skip(if: $on)', { on: false }, false],
    ['open @include(if: $off)', { off: true }, false],
  ])('is skipped or not by a variable: %s, %j', (text, variables, isSkipped) => {
    expect(isLeftOut(text, variables)).toBe(isSkipped);
  });

  it.each([
    ['no value', '$b', {}],
    ['null', '$b', { b: null }],
    ['null by default', '$none', {}],
    ['a text', '$b', { b: 'true' }],
    ['a text by default', '$t', {}],
    ['a number', '$b', { b: 1 }],
    ['no definition', '$unknown', { unknown: true }],
  ])('is selected if its condition has %s', (_what, variable, variables) => {
    expect(isLeftOut(`open @skip(if: ${variable})`, variables)).toBe(false);
    expect(isLeftOut(`open @include(if: ${variable})`, variables)).toBe(false);
  });

  it.each(['open @skip', 'open @include', 'open @skip(unless: true)', 'open @include(only: false)'])(
    'is selected without a condition: %s',
    (text) => {
      expect(isLeftOut(text)).toBe(false);
    },
  );

  it('is skipped by the condition after one that is not known', () => {
    expect(isLeftOut('open @include(if: $b) @skip(if: true)')).toBe(true);
  });

  it('is skipped by the argument `if` alone', () => {
    expect(isLeftOut('open @skip(only: false, if: true)')).toBe(true);
  });

  it('may be written by a program, without lists', () => {
    const { conditions } = selected('open');
    const name = { kind: Kind.NAME, value: 'skip' } as const;
    const field = { kind: Kind.FIELD, name } as const;
    expect(conditions.leavesOut(field)).toBe(false);
    expect(conditions.leavesOut({ ...field, directives: [{ kind: Kind.DIRECTIVE, name }] })).toBe(false);
  });
});

describe('the key', () => {
  const text =
    '... { a: open @skip(if: $b) b: open @include(if: $on) c: open @skip(if: $b) @skip(if: $off) }';

  it.each([
    [{}, '?10'],
    [{ b: null, off: 'true' }, '?1?'],
    [{ b: true, on: false, off: true }, '101'],
    [{ b: false }, '010'],
  ])('has one letter for each variable: %j', (variables, key) => {
    expect(selected(text, variables).conditions.key).toBe(key);
  });

  it('has none for variables that are no conditions', () => {
    expect(selected('open @skip(if: true)', { b: true }).conditions.key).toBe('');
    expect(selected('open @note(if: $b)', { b: true }).conditions.key).toBe('');
  });
});
