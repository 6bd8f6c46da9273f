import { getNamedType, isCompositeType, Kind } from 'graphql';
import type {
  DocumentNode,
  FieldNode,
  FragmentDefinitionNode,
  GraphQLFormattedError,
  GraphQLNamedType,
  GraphQLSchema,
  SelectionSetNode,
} from 'graphql';
import { fragmentsOf } from '../fragments.js';
import { withoutUndefined } from '@behalf/directives/internal';
import { ExactNumber } from './exact-number.js';
import { settleNumber, settleWithin } from './settle.js';

/** Errors with their own position in one response; one more counts the others. */
const MAX_ERRORS = 100;

/** A selection set and its type; undefined for `_entities`, whose fragments name their types. */
interface Selected {
  readonly set: SelectionSetNode;
  readonly on: GraphQLNamedType | undefined;
}

/**
 * The meaning of one response key. Selections of one key return one leaf type, whatever their type condition (GraphQL section
 * 5.3.2).
 */
interface Place {
  readonly type: GraphQLNamedType | undefined;
  readonly selected: Selected[];
  below?: ReadonlyMap<string, Place>;
}

interface Step {
  readonly before: Step | undefined;
  readonly key: string | number;
}

interface Pending {
  readonly container: Record<string, unknown> | unknown[];
  readonly places: ReadonlyMap<string, Place>;
  /** For a list: the place of its entries. */
  readonly place: Place | undefined;
  readonly path: Step | undefined;
}

/**
 * Settles a subgraph response's numbers that a double cannot hold, in place, by the type of each field. A number that cannot be
 * represented is removed, so that it cannot become another entity's key, and an error names the position.
 *
 * @param document the request sent to the subgraph
 * @param schema of the supergraph
 */
export function settleAnswer(
  data: Record<string, unknown>,
  document: DocumentNode,
  schema: GraphQLSchema,
): GraphQLFormattedError[] {
  return new AnswerSettlement(document, schema).settle(data);
}

class AnswerSettlement {
  readonly #errors: GraphQLFormattedError[] = [];
  #omitted = 0;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #document: DocumentNode;
  readonly #schema: GraphQLSchema;

  constructor(document: DocumentNode, schema: GraphQLSchema) {
    this.#document = document;
    this.#schema = schema;
    this.#fragments = fragmentsOf(document);
  }

  settle(data: Record<string, unknown>): GraphQLFormattedError[] {
    const operation = this.#document.definitions.find(({ kind }) => kind === Kind.OPERATION_DEFINITION);
    const selected =
      operation?.kind === Kind.OPERATION_DEFINITION
        ? [{ set: operation.selectionSet, on: this.#schema.getRootType(operation.operation) ?? undefined }]
        : [];
    // Without recursion: lists may be nested deeper than the stack.
    const pending: Pending[] = [
      { container: data, places: this.#placesOf(selected), place: undefined, path: undefined },
    ];
    for (let each = pending.pop(); each !== undefined; each = pending.pop()) {
      for (const next of this.#settleContainer(each)) pending.push(next);
    }
    return this.#omitted === 0 ? this.#errors : [...this.#errors, inexact({}, this.#omitted)];
  }

  #settleContainer({ container, places, place: ofList, path }: Pending): Pending[] {
    const found: Pending[] = [];
    const isList = Array.isArray(container);
    const members = container as Record<string, unknown>;
    for (const key of Object.keys(members)) {
      const value = members[key];
      if (typeof value !== 'object' || value === null) continue;
      const place = isList ? ofList : places.get(key);
      const here: Step = { before: path, key: isList ? Number(key) : key };
      if (value instanceof ExactNumber) {
        const settled = settleNumber(value, place?.type);
        if (settled !== undefined) members[key] = settled;
        else {
          this.#report(here);
          if (isList) members[key] = null;
          else Reflect.deleteProperty(members, key);
        }
      } else if (place !== undefined && (place.selected.length > 0 || Array.isArray(value))) {
        const inner = value as Pending['container'];
        found.push({ container: inner, places: this.#below(place), place, path: here });
      } else settleWithin(value);
    }
    return found;
  }

  #below(place: Place): ReadonlyMap<string, Place> {
    place.below ??= this.#placesOf(place.selected);
    return place.below;
  }

  #placesOf(selected: readonly Selected[]): ReadonlyMap<string, Place> {
    const places = new Map<string, Place>();
    const visited = new Set<string>();
    const pending = [...selected];
    for (let each = pending.pop(); each !== undefined; each = pending.pop()) {
      for (const selection of each.set.selections) {
        if (selection.kind === Kind.FIELD) this.#addField(places, selection, each.on);
        else if (selection.kind === Kind.INLINE_FRAGMENT) {
          const condition = selection.typeCondition?.name.value;
          const on = condition === undefined ? each.on : this.#schema.getType(condition);
          pending.push({ set: selection.selectionSet, on });
        } else {
          const fragment = this.#fragments.get(selection.name.value);
          if (fragment === undefined || visited.has(selection.name.value)) continue;
          visited.add(selection.name.value);
          pending.push({
            set: fragment.selectionSet,
            on: this.#schema.getType(fragment.typeCondition.name.value),
          });
        }
      }
    }
    return places;
  }

  #addField(places: Map<string, Place>, node: FieldNode, on: GraphQLNamedType | undefined): void {
    const key = node.alias?.value ?? node.name.value;
    const field = isCompositeType(on) && 'getFields' in on ? on.getFields()[node.name.value] : undefined;
    const type = field === undefined ? undefined : getNamedType(field.type);
    const place = places.get(key) ?? { type, selected: [] };
    if (node.selectionSet !== undefined) place.selected.push({ set: node.selectionSet, on: type });
    places.set(key, place);
  }

  #report(position: Step): void {
    if (this.#errors.length >= MAX_ERRORS) {
      this.#omitted += 1;
      return;
    }
    const path: (string | number)[] = [];
    for (let here: Step | undefined = position; here !== undefined; here = here.before) path.push(here.key);
    this.#errors.push(inexact({ path: path.reverse() }));
  }
}

function inexact(place: Pick<GraphQLFormattedError, 'path'>, omitted?: number): GraphQLFormattedError {
  return {
    message: 'A number cannot be carried exactly',
    ...place,
    extensions: withoutUndefined({ code: 'NUMBER_NOT_EXACT', omittedPaths: omitted }),
  };
}
