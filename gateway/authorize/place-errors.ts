import type { GraphQLError } from 'graphql';
import { withoutUndefined } from '@behalf/directives/internal';
import { clientError, internalError, withoutStack } from '../client-error.js';
import type { ErrorList } from '../client-error.js';
import type { GatewayErrorCode } from '../errors.js';
import type { ErrorReport } from '../subgraph-errors/log-errors.js';
import { errorMessage, failureMessage, subgraphErrorOf } from '../subgraph-errors/subgraph-error.js';
import type { SubgraphError } from '../subgraph-errors/subgraph-error.js';
import type { FetchPlaces } from './fetch-places.js';
import type { NoPlace, Place, Places } from './places.js';
import { pathTo } from './position.js';
import type { PositionRules } from './position-rules.js';

export interface PlacementOptions {
  readonly places: Places;
  readonly fetches: FetchPlaces;
  readonly rules: PositionRules;
  readonly errors: ErrorList;
  readonly report: (report: ErrorReport) => void;
  /** Errors pass unchanged, as the subgraphs reported them. */
  readonly isShadow: boolean;
}

interface Found {
  readonly place: Place | NoPlace;
  /** The error concerns exactly this position, not something below it that the client did not select. */
  readonly isExact: boolean;
  readonly names: readonly (string | number)[];
}

const UNKNOWN_NAME = '?';
const MAX_LOGGED_PATH = 200;

/**
 * Places the errors of an execution on the client's own operation. An error that did not come from Behalf is foreign until
 * shown otherwise: its text is replaced, and it is placed where the client selected something, or nowhere.
 */
export class ErrorPlacement {
  readonly #placed = new Set<string>();
  /** Positions with an error, as JSON. */
  readonly #explained = new Set<string>();
  /** Reports on a whole fetch: a response can repeat one a thousand times, each with many positions. */
  readonly #told = new Map<SubgraphError['fetch'], Set<string>>();
  readonly #options: PlacementOptions;

  constructor(options: PlacementOptions) {
    this.#options = options;
  }

  addAll(errors: readonly GraphQLError[]): void {
    for (const error of errors) {
      const reported = subgraphErrorOf(error);
      if (reported === undefined) this.#addForeign(error);
      else this.#addReported(error, reported);
    }
  }

  #addForeign(error: GraphQLError): void {
    this.#options.report({ failure: error });
    if (this.#options.isShadow) this.#options.errors.add(() => withoutStack(error));
    else this.#addOnce('', undefined, internalError);
  }

  #addReported(error: GraphQLError, reported: SubgraphError): void {
    const { details, fetch, further } = reported;
    const { steps } = details;
    const found = steps === undefined ? undefined : this.#find(error, reported, steps);
    // The failure and its reason were logged where it happened.
    if (!details.isFailure && details.isForTheRest !== true) {
      const names = found?.names ?? fetch.at.map((key) => (key === '@' ? key : UNKNOWN_NAME));
      this.#options.report({
        subgraph: fetch.subgraph,
        code: details.code,
        path: names.join('.').slice(0, MAX_LOGGED_PATH),
        message: details.logMessage,
        further,
      });
    }
    this.#options.errors.omit(further);
    if (this.#options.isShadow && !details.isFailure) this.#options.errors.add(() => withoutStack(error));
    else if (found === undefined) this.#addWhole(reported);
    else this.#addAt(found, reported);
  }

  /** An error of a whole fetch: at each position that it made null. */
  #addWhole(reported: SubgraphError): void {
    const { code, isFailure } = reported.details;
    const told = this.#told.get(reported.fetch) ?? new Set<string>();
    this.#told.set(reported.fetch, told);
    if (told.has(`${isFailure} ${code}`)) return;
    told.add(`${isFailure} ${code}`);
    const { places, omitted } = this.#options.fetches.nullsOf(reported.fetch);
    for (const [index, place] of places.entries()) {
      if (this.#options.errors.isFull) {
        this.#options.errors.omit(places.length - index);
        return;
      }
      const isExplained = this.#explained.has(JSON.stringify(pathTo(place.position)));
      if (!isExplained || reported.details.isForTheRest !== true) this.#addRedacted(reported, place);
    }
    if (omitted > 0) this.#addRedacted(reported, undefined, omitted);
    if (places.length > 0) return;
    const nearest = this.#options.fetches.nearest(reported.fetch);
    if (typeof nearest === 'object') this.#addRedacted(reported, nearest);
  }

  #addAt({ place, isExact }: Found, reported: SubgraphError): void {
    // Denials are reported at their positions; that the field also failed adds nothing.
    if (typeof place !== 'object') return;
    const joined = isExact || !reported.details.isWholePath ? [] : this.#nullFor(place, reported);
    if (joined.length > 0) {
      for (const each of joined) this.#addRedacted(reported, each);
      return;
    }
    const { rules } = this.#options;
    const { denied, passable } = reported.details;
    const denial = isExact && denied !== undefined ? rules.denialAt(place, denied) : undefined;
    if (denial !== undefined) {
      const path = pathTo(place.position);
      this.#addOnce(JSON.stringify([path, denial]), path, () => rules.denialError(denial, path));
    } else if (isExact && passable !== undefined && rules.mayQuote(place)) {
      this.#addRedacted(reported, place, undefined, passable);
    } else this.#addRedacted(reported, place);
  }

  /** Without a key that only the gateway asked for, other subgraphs are not asked for the object's other fields. */
  #nullFor(place: Place, { details, fetch: { sent } }: SubgraphError): readonly Place[] {
    if (details.code !== ('SUBREQUEST_MALFORMED_RESPONSE' satisfies GatewayErrorCode)) return [];
    let asked = sent.fieldsOf(sent.roots);
    for (const { key } of details.steps?.slice(0, -1) ?? []) {
      const field = typeof key === 'string' ? asked.get(key) : undefined;
      if (field !== undefined) asked = sent.fieldsOf(field.sets);
    }
    return this.#options.places.nullsOn(place).filter(({ field }) => !asked.has(field?.executedKey ?? ''));
  }

  #addRedacted(
    { details, fetch: { subgraph } }: SubgraphError,
    place: Place | undefined,
    omittedPaths?: number,
    quoted?: string,
  ): void {
    // A denial that the gateway's own rules do not confirm is an ordinary error.
    const code =
      details.denied === undefined && details.code !== 'UNAUTHORIZED_FIELD_OR_TYPE'
        ? details.code
        : ('DOWNSTREAM_SERVICE_ERROR' satisfies GatewayErrorCode);
    const message = quoted ?? (details.isFailure ? failureMessage(subgraph) : errorMessage(subgraph));
    const path = place?.position === undefined ? undefined : pathTo(place.position);
    this.#addOnce(JSON.stringify([path, code, subgraph, message, omittedPaths]), path, () =>
      clientError(message, {
        path,
        extensions: withoutUndefined({ code, service: subgraph, omittedPaths }),
      }),
    );
  }

  #addOnce(identity: string, path: readonly (string | number)[] | undefined, make: () => GraphQLError): void {
    if (this.#placed.has(identity)) return;
    if (path !== undefined && !this.#options.errors.isFull) this.#explained.add(JSON.stringify(path));
    // A full list needs no further entries, and may count what it counted before.
    if (!this.#options.errors.isFull) this.#placed.add(identity);
    this.#options.errors.add(make);
  }

  #find(
    error: GraphQLError,
    reported: SubgraphError,
    steps: NonNullable<SubgraphError['details']['steps']>,
  ): Found | undefined {
    const base = this.#findBase(error, reported, steps);
    if (base === undefined) return undefined;
    let { place, isExact } = base;
    const names = [...base.names];
    for (const { key, names: fields } of steps) {
      if (isExact && typeof place === 'object') {
        const next = this.#options.places.step(place, key, fields);
        if (next === 'unselected') isExact = false;
        else place = next;
      }
      // A subgraph can choose any index of a missing entry.
      names.push(fields?.[0] ?? (isExact ? key : UNKNOWN_NAME));
    }
    return { place, isExact: isExact && reported.details.isWholePath, names };
  }

  /** The position of the request: the entity that an error names, or the root of a fetch. Undefined if it cannot be told which entity. */
  #findBase(
    error: GraphQLError,
    { fetch, details: { entity } }: SubgraphError,
    steps: readonly unknown[],
  ): Found | undefined {
    const nearest = this.#options.fetches.nearest(fetch);
    const path = error.path?.slice(0, error.path.length - steps.length) ?? [];
    const keys = entity === undefined || path.length === 0 ? fetch.at : path;
    const base = this.#walk(keys);
    if (typeof base.place !== 'object' || !base.isExact || entity === undefined) return base;
    if (this.#options.places.isOfOneType(base.place)) {
      // @apollo/gateway also counts objects without a key, which it did not ask for.
      const { length } = this.#options.fetches.objectsOf(fetch);
      return length === 0 || length === fetch.entities ? base : undefined;
    }
    // @apollo/gateway counts every object of the list, and the subgraph only those of the requested type.
    const place = this.#entityAt(fetch, entity, steps[0]);
    return place === undefined ? { place: nearest, isExact: false, names: base.names } : { ...base, place };
  }

  #walk(keys: readonly (string | number)[]): Found {
    let place: Place | NoPlace = this.#options.places.root;
    let isExact = true;
    const names: (string | number)[] = [];
    for (const key of keys) {
      if (typeof place !== 'object' || !isExact) {
        names.push(typeof key === 'number' ? key : UNKNOWN_NAME);
        continue;
      }
      // `@` stands for every entry: the nearest single position is the list.
      const next: Place | NoPlace = key === '@' ? 'unselected' : this.#options.places.step(place, key);
      if (next === 'unselected') isExact = false;
      else place = next;
      names.push(nameOf(key, next));
    }
    return { place, isExact, names };
  }

  /** Among objects of several types: those that hold the erroneous field, if they are as many as were requested. */
  #entityAt(fetch: SubgraphError['fetch'], entity: number, step: unknown): Place | undefined {
    const objects = this.#options.fetches.objectsOf(fetch);
    if (objects.length === fetch.entities) return objects[entity];
    const key = (step as { readonly key?: unknown } | undefined)?.key;
    if (typeof key !== 'string') return undefined;
    const holding = this.#options.fetches.objectsWith(fetch, key);
    return holding.length === fetch.entities ? holding[entity] : undefined;
  }
}

function nameOf(key: string | number, next: Place | NoPlace): string | number {
  if (typeof key === 'number' || key === '@') return key;
  return typeof next === 'object' && next.field !== undefined ? next.field.name : UNKNOWN_NAME;
}
