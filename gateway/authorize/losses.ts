import { Kind } from 'graphql';
import type { FieldNode, SelectionNode, SelectionSetNode } from 'graphql';
import type { OperationAnalysis } from './analysis.js';
import type { Conditions } from './conditions.js';
import type { Position } from './position.js';
import type { Removals } from './removals.js';
import { responseKeyOf } from './response-key.js';

/** A denied selection below an emptied field. */
export interface Loss {
  readonly node: FieldNode;
  /** The response keys that lead to it from the emptied field. */
  readonly keys: Keys;
  /** Equal for selections of one coordinate at one position. */
  readonly identity: string;
}

/** Response keys, from the outermost inward. Shared ends are stored once. */
interface Keys {
  readonly key: string;
  readonly then: Keys | undefined;
}

interface Below {
  readonly analysis: OperationAnalysis;
  readonly conditions: Conditions;
  readonly removals: Removals;
}

/** The denials below an emptied field. */
export interface LossesBelow {
  readonly losses: readonly Loss[];
  /** Whether more is denied than is listed. */
  readonly isCut: boolean;
}

export interface MaxLosses {
  /** Positions of one selection. */
  readonly maxPathsPerSelection: number;
  /** Losses below one field. */
  readonly maxErrors: number;
}

/** A document can have exponentially many paths. */
const MAX_COUNTED = 1_000_000;
const NOTHING: LossesBelow = { losses: [], isCut: false };

/**
 * Finds what was denied below fields of which nothing was left to execute. There is no data to follow, so it follows the
 * document. Each fragment is searched once, and each list is bounded.
 */
export class Losses {
  readonly #listed = new Map<FieldNode | string, LossesBelow>();
  readonly #merged = new WeakMap<readonly FieldNode[], LossesBelow>();
  readonly #counted = new Map<FieldNode | string, number>();
  readonly #below: Below;
  readonly #max: MaxLosses;

  constructor(below: Below, max: MaxLosses) {
    this.#below = below;
    this.#max = max;
  }

  /**
   * The denied selections below emptied fields of one response key: one per coordinate and position.
   *
   * @param fields the same array for the same fields: the result is kept for it
   */
  below(fields: readonly FieldNode[]): LossesBelow {
    const [field] = fields;
    if (fields.length === 1 && field !== undefined) return this.#of(field);
    let merged = this.#merged.get(fields);
    if (merged === undefined) {
      const list = new LossList(this.#max);
      for (const each of fields) list.addAll(this.#of(each));
      merged = list.toBelow();
      this.#merged.set(fields, merged);
    }
    return merged;
  }

  /** The number of denied selections below these fields, however many are listed. */
  count(fields: readonly FieldNode[]): number {
    return fields.reduce((count, field) => count + this.#count(field), 0);
  }

  #of(field: FieldNode): LossesBelow {
    return remember(this.#listed, field, NOTHING, () => this.#list(field.selectionSet));
  }

  #count(field: FieldNode): number {
    return remember(this.#counted, field, 0, () => this.#countIn(field.selectionSet));
  }

  #list(set: SelectionSetNode | undefined): LossesBelow {
    const list = new LossList(this.#max);
    this.#search(set, list, new Set());
    return list.toBelow();
  }

  #search(set: SelectionSetNode | undefined, list: LossList, spread: Set<string>): void {
    for (const selection of this.#selected(set)) {
      switch (selection.kind) {
        case Kind.FIELD:
          this.#addField(selection, list);
          break;
        case Kind.INLINE_FRAGMENT:
          this.#search(selection.selectionSet, list, spread);
          break;
        case Kind.FRAGMENT_SPREAD: {
          const name = selection.name.value;
          if (spread.has(name)) break;
          spread.add(name);
          list.addAll(remember(this.#listed, name, NOTHING, () => this.#list(this.#setOf(name))));
        }
      }
    }
  }

  #addField(field: FieldNode, list: LossList): void {
    const removal = this.#below.removals.get(field);
    if (removal === undefined) return;
    const key = responseKeyOf(field);
    if (removal === 'emptied') {
      list.addAll(this.#of(field), key);
      return;
    }
    const parent = this.#below.analysis.parentOf.get(field)?.name ?? '';
    // A name has no space and no full stop.
    const identity = `${key} ${parent}.${field.name.value}`;
    list.add({ node: field, keys: { key, then: undefined }, identity });
  }

  #countIn(set: SelectionSetNode | undefined): number {
    let count = 0;
    for (const selection of this.#selected(set)) count += this.#countOf(selection);
    return Math.min(count, MAX_COUNTED);
  }

  #countOf(selection: SelectionNode): number {
    switch (selection.kind) {
      case Kind.FIELD: {
        const removal = this.#below.removals.get(selection);
        if (removal === undefined) return 0;
        return removal === 'denied' ? 1 : this.#count(selection);
      }
      case Kind.INLINE_FRAGMENT:
        return this.#countIn(selection.selectionSet);
      case Kind.FRAGMENT_SPREAD: {
        const name = selection.name.value;
        return remember(this.#counted, name, 0, () => this.#countIn(this.#setOf(name)));
      }
    }
  }

  #selected(set: SelectionSetNode | undefined): readonly SelectionNode[] {
    return set?.selections.filter((selection) => !this.#below.conditions.leavesOut(selection)) ?? [];
  }

  #setOf(fragment: string): SelectionSetNode | undefined {
    return this.#below.analysis.fragments.get(fragment)?.selectionSet;
  }
}

class LossList {
  readonly #found = new Map<string, Loss>();
  readonly #paths = new Map<FieldNode, number>();
  #isCut = false;
  readonly #max: MaxLosses;

  constructor(max: MaxLosses) {
    this.#max = max;
  }

  add(loss: Loss): void {
    if (this.#found.has(loss.identity)) return;
    const paths = this.#paths.get(loss.node) ?? 0;
    if (paths >= this.#max.maxPathsPerSelection || this.#found.size >= this.#max.maxErrors) {
      this.#isCut = true;
      return;
    }
    this.#paths.set(loss.node, paths + 1);
    this.#found.set(loss.identity, loss);
  }

  /** @param key of the field below which they are; undefined if they are not below one */
  addAll({ losses, isCut }: LossesBelow, key?: string): void {
    this.#isCut ||= isCut;
    for (const loss of losses) {
      const { node, keys, identity } = loss;
      this.add(
        key === undefined ? loss : { node, keys: { key, then: keys }, identity: `${key}.${identity}` },
      );
    }
  }

  toBelow(): LossesBelow {
    return { losses: [...this.#found.values()], isCut: this.#isCut };
  }
}

/** A valid document has no fragment cycle; in a cyclic one, the second visit finds nothing. */
function remember<Key, Found>(memory: Map<Key, Found>, key: Key, nothing: Found, find: () => Found): Found {
  let found = memory.get(key);
  if (found === undefined) {
    memory.set(key, nothing);
    found = find();
    memory.set(key, found);
  }
  return found;
}

/** The position of a loss. Lists on the way were never fetched, so they have no index. */
export function positionBelow(emptied: Position, { keys }: Loss): Position {
  let position = emptied;
  for (let next: Keys | undefined = keys; next !== undefined; next = next.then)
    position = { before: position, key: next.key };
  return position;
}
