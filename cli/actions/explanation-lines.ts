import type {
  Explanation,
  ExplainedFilter,
  ExplainedRule,
  ExplainedSelection,
  Needs,
} from '@behalf/gateway/internal';
import { quantity } from '../quantity.js';

const COUNTED = ['allowed', 'minimized', 'denied', 'lost', 'emptied', 'skipped', 'introspection'] as const;

/** An explanation for people. */
export function explanationLines(
  explanation: Explanation,
  caller: { readonly words: string; readonly notes: readonly string[] },
): string[] {
  const { operation, selections, truncated, needs, lacks } = explanation;
  const rows = selections.map((selection) => ({
    key: `${'  '.repeat(selection.path.length - 1)}${selection.path.at(-1) ?? ''}`,
    selection,
  }));
  const keyWidth = Math.max(...rows.map(({ key }) => key.length));
  const coordinateWidth = Math.max(...selections.map(({ coordinate }) => coordinate.length));
  const counts = COUNTED.map((decision) => ({
    decision,
    count: selections.filter((selection) => selection.decision === decision).length,
  })).filter(({ count }) => count > 0);
  return [
    ...caller.notes.map((note) => `!! ${note}`),
    ...(caller.notes.length > 0 ? [''] : []),
    `${operation.type} ${operation.name ?? '(unnamed)'}`,
    `decided for ${caller.words}`,
    '',
    ...rows.map(({ key, selection }) =>
      [
        `  ${key.padEnd(keyWidth)}`,
        selection.decision.padEnd(13),
        selection.coordinate.padEnd(coordinateWidth),
        reasonOf(selection),
      ]
        .join('  ')
        .trimEnd(),
    ),
    ...(truncated ? [`  … only the first ${selections.length} are listed`] : []),
    '',
    `${quantity(selections.length, 'selection')}: ${counts.map(({ decision, count }) => `${count} ${decision}`).join(', ')}`,
    '',
    ...needsLines('The whole operation needs', needs),
    ...(lacks === undefined ? [] : ['', ...needsLines('This caller lacks', lacks)]),
  ];
}

function reasonOf(selection: ExplainedSelection): string {
  const { coordinate, decision, rules, minimization, filters = [], perRow } = selection;
  switch (decision) {
    case 'denied':
      return denialWords(coordinate, [...rules, ...filters]);
    case 'lost':
      return 'lost with the denied field above it';
    case 'emptied':
      return 'every field selected on it is denied';
    case 'skipped':
      return 'left out by @skip or @include';
    case 'introspection':
      return 'decided by the gateway’s introspection setting';
    case 'allowed':
    case 'minimized':
      return [
        ...(minimization ?? []).map(({ at, strategy, level, wholeWith, whole }) =>
          whole ? `${at} is whole` : `${strategy}${levelWords(level)}; ${wholeWords(wholeWith)}`,
        ),
        ...(perRow ?? []).map(({ type, property, every }) =>
          every ? `every ${type}, of all subjects` : `each ${type} by its ${property}`,
        ),
      ].join('; ');
  }
}

/** Each rule once, with the places that state it, where that is not the field alone. */
function denialWords(coordinate: string, rules: readonly (ExplainedRule | ExplainedFilter)[]): string {
  const unmet = new Map<string, { lacks: string; at: string[] }>();
  for (const { at, rule, met, missing } of rules) {
    if (met) continue;
    const known = unmet.get(rule);
    if (known === undefined) unmet.set(rule, { lacks: missingWords(missing), at: [at] });
    else known.at.push(at);
  }
  return [...unmet]
    .map(([rule, { lacks, at }]) => {
      const places = at.length === 1 && at[0] === coordinate ? '' : ` of ${at.join(', ')}`;
      return `${lacks === '' ? '' : `lacks ${lacks}: `}${rule}${places}`;
    })
    .join('; ');
}

function levelWords(level: string | undefined): string {
  return level === undefined ? '' : `, at level ${level}`;
}

function wholeWords(wholeWith: readonly (readonly string[])[]): string {
  return wholeWith.length === 0 ? 'never whole' : `whole with ${alternatives(wholeWith)}`;
}

function missingWords(missing: ExplainedSelection['rules'][number]['missing']): string {
  if (missing === undefined || missing.rule !== undefined) return '';
  return [
    ...(missing.authenticated === true ? ['a token'] : []),
    ...(missing.scopes ?? []).map(alternatives),
    ...(missing.policies ?? []).map(alternatives),
    ...(missing.purposes ?? []).map((names) => names.join(' or ')),
  ].join(', ');
}

function alternatives(entry: readonly (readonly string[])[]): string {
  return entry.length === 0
    ? 'what nobody can hold'
    : entry.map((names) => names.join(' and ')).join(', or ');
}

function needsLines(title: string, needs: Needs): string[] {
  const { scopes, policies, purposes, impossible, authenticated } = needs;
  const isScoped = scopes.sets.some((set) => set.length > 0);
  const lines = [
    ...impossible.map((coordinate) => `  what nobody can hold, for ${coordinate}`),
    ...(isScoped
      ? scopes.sets.map((set, index) => `  ${index === 0 ? 'scopes   ' : '      or '} ${set.join(' ')}`)
      : []),
    ...(scopes.exhaustive
      ? []
      : ['            (there are more sets than were followed, perhaps smaller ones)']),
    ...policies.map((entry) => `  policy    ${alternatives(entry)}`),
    ...purposes.map((names) => `  purpose   ${names.join(' or ')}`),
  ];
  if (lines.length > 0) return [`${title}:`, ...lines];
  return [authenticated ? `${title}: a token, whatever is in it` : `${title}: nothing`];
}
