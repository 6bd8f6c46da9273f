import { isNonNullType } from 'graphql';
import type { FieldNode, SelectionSetNode } from 'graphql';
import type { SubgraphFetch } from '../subgraph-errors/fetch.js';
import { entryTypeAt, isNothing } from './places.js';
import type { NoPlace, Place, Places } from './places.js';

/** Beyond this number, positions of entities are not distinguished. */
const MAX_ENTITY_PLACES = 10_000;
const EVERY_ENTRY = '@';

/** Positions that became null because a fetch had no answer. */
export interface NullPlaces {
  readonly places: readonly Place[];
  /** Further positions of the same selections. */
  readonly omitted: number;
}

/** Finds the positions of a subgraph fetch in the response. Each fetch is located once, however many errors it has. */
export class FetchPlaces {
  readonly #nulls = new Map<SubgraphFetch, NullPlaces>();
  readonly #entities = new Map<SubgraphFetch, readonly Place[]>();
  readonly #holding = new Map<SubgraphFetch, Map<string, readonly Place[]>>();
  readonly #places: Places;
  readonly #maxPathsPerSelection: number;

  constructor(places: Places, maxPathsPerSelection: number) {
    this.#places = places;
    this.#maxPathsPerSelection = maxPathsPerSelection;
  }

  /** The fetch's own position, or the list that contains it: the nearest position on the path that the client selected. */
  nearest({ at }: SubgraphFetch): Place | NoPlace {
    let place = this.#places.root;
    for (const key of at) {
      if (key === EVERY_ENTRY) return place;
      const next = this.#places.step(place, key);
      if (next === 'hidden') return next;
      if (next === 'unselected') return place;
      place = next;
    }
    return place;
  }

  /** Each position that is null because of this fetch. */
  nullsOf(fetch: SubgraphFetch): NullPlaces {
    let found = this.#nulls.get(fetch);
    if (found === undefined) {
      const search = new NullSearch(this.#places, fetch, this.#maxPathsPerSelection);
      search.from(this.#places.root, 0);
      found = search;
      this.#nulls.set(fetch, found);
    }
    return found;
  }

  /** The objects that a fetch belongs to, in order. Empty if there are too many, or if the client did not select the path. */
  objectsOf(fetch: SubgraphFetch): readonly Place[] {
    let found = this.#entities.get(fetch);
    if (found === undefined) {
      const places: Place[] = [];
      this.#collectObjects(this.#places.root, fetch.at, 0, places);
      found = places.length > MAX_ENTITY_PLACES ? [] : places;
      this.#entities.set(fetch, found);
    }
    return found;
  }

  /** Those of them that hold this key. */
  objectsWith(fetch: SubgraphFetch, key: string): readonly Place[] {
    const byKey = this.#holding.get(fetch) ?? new Map<string, readonly Place[]>();
    this.#holding.set(fetch, byKey);
    let found = byKey.get(key);
    if (found === undefined) {
      found = this.objectsOf(fetch).filter((place) => {
        const next = this.#places.step(place, key);
        return typeof next === 'object' && next.isThere;
      });
      byKey.set(key, found);
    }
    return found;
  }

  #collectObjects(place: Place, at: readonly string[], index: number, found: Place[]): void {
    if (isNothing(place.value) || found.length > MAX_ENTITY_PLACES) return;
    const key = at[index];
    if (key === undefined) {
      found.push(place);
      return;
    }
    const entries = key === EVERY_ENTRY ? entriesOf(this.#places, place) : [this.#places.step(place, key)];
    for (const next of entries) {
      if (typeof next === 'object') this.#collectObjects(next, at, index + 1, found);
    }
  }
}

function* entriesOf(places: Places, place: Place): Generator<Place | NoPlace> {
  const { value } = place;
  if (!Array.isArray(value)) return;
  for (let index = 0; index < value.length; index += 1) yield places.step(place, index);
}

/** One walk along the data and the request: the cost grows with the data. */
class NullSearch implements NullPlaces {
  readonly places: Place[] = [];
  omitted = 0;
  readonly #listed = new Map<FieldNode | undefined, number>();
  readonly #where: Places;
  readonly #fetch: SubgraphFetch;
  readonly #maxPathsPerSelection: number;

  constructor(where: Places, fetch: SubgraphFetch, maxPathsPerSelection: number) {
    this.#where = where;
    this.#fetch = fetch;
    this.#maxPathsPerSelection = maxPathsPerSelection;
  }

  /** Along the way to the fetch. */
  from(place: Place, index: number): void {
    const { at, sent } = this.#fetch;
    const key = at[index];
    if (key === undefined) {
      this.#below(place, sent.roots);
      return;
    }
    if (key !== EVERY_ENTRY) {
      this.#step(place, key, undefined, (next) => this.from(next, index + 1));
      return;
    }
    if (isNothing(place.value) && this.#canHaveBecomeNull(place, index)) this.#found(place);
    for (const next of entriesOf(this.#where, place)) {
      if (typeof next === 'object') this.from(next, index + 1);
    }
  }

  /** Along what was sent. */
  #below(place: Place, sets: readonly SelectionSetNode[]): void {
    if (Array.isArray(place.value)) {
      for (const next of entriesOf(this.#where, place)) if (typeof next === 'object') this.#below(next, sets);
      return;
    }
    if (entryTypeAt(place) !== undefined) return;
    const fields = [...this.#fetch.sent.fieldsOf(sets).values()].filter(
      ({ names }) => !names.includes('__typename'),
    );
    if (isNothing(place.value) && !this.#where.isOfOneType(place)) {
      // Which of them it would have had is unknown.
      if (fields.some(({ key }) => this.#where.takesNullsOf(place, key))) this.#found(place);
      return;
    }
    for (const { key, names, sets: inner } of fields) {
      this.#step(place, key, names, (next) => {
        if (isNothing(next.value)) {
          if (next.isThere || isNothing(place.value)) this.#found(next);
        } else if (inner.length > 0) this.#below(next, inner);
      });
    }
  }

  /** A null counts only if it can have propagated from further down. */
  #step(place: Place, key: string, names: readonly string[] | undefined, go: (next: Place) => void): void {
    const isRoot = place.field === undefined;
    if (isNothing(place.value) && !isRoot && !this.#where.takesNullsOf(place, key)) return;
    const next = this.#where.step(place, key, names);
    if (typeof next === 'object') go(next);
  }

  /** For a null list with non-null entries: whether nulls of this fetch propagate to it, or it was null already. */
  #canHaveBecomeNull(list: Place, index: number): boolean {
    if (!isNonNullType(entryTypeAt(list))) return false;
    const entry = this.#where.step(list, 0);
    if (typeof entry !== 'object') return false;
    const search = new NullSearch(this.#where, this.#fetch, 1);
    search.from(entry, index + 1);
    return search.places.length > 0;
  }

  #found(place: Place): void {
    const selection = place.field?.occurrences[0]?.node;
    const listed = this.#listed.get(selection) ?? 0;
    if (listed >= this.#maxPathsPerSelection) {
      this.omitted += 1;
      return;
    }
    this.#listed.set(selection, listed + 1);
    this.places.push(place);
  }
}
