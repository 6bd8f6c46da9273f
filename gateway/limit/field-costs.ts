import { argumentsOf, Links } from '@behalf/directives/internal';
import { Kind } from 'graphql';
import type { ConstDirectiveNode, DocumentNode } from 'graphql';

const COST_IDENTITY = 'https://specs.apollo.dev/cost';

/** `@listSize` of one field (https://specs.apollo.dev/cost/v0.1). */
export interface ListSize {
  readonly assumedSize: number | undefined;
  readonly slicingArguments: readonly string[];
  /** Fields of the returned object whose lists have the size. Empty: the field's own list has it. */
  readonly sizedFields: readonly string[];
  readonly requireOneSlicingArgument: boolean;
}

/** A supergraph's `@cost` and `@listSize`, by coordinate: `Type`, `Type.field`, `Type.field(argument:)`. */
export interface StatedCosts {
  readonly weights: ReadonlyMap<string, number>;
  readonly listSizes: ReadonlyMap<string, ListSize>;
}

interface Annotated {
  readonly directives?: readonly ConstDirectiveNode[] | undefined;
}

/** Reads them through `@link`, so that a renamed import changes nothing. */
export function readStatedCosts(supergraph: DocumentNode): StatedCosts {
  const weights = new Map<string, number>();
  const listSizes = new Map<string, ListSize>();
  const links = new Links(supergraph);
  const feature = links.feature(COST_IDENTITY);
  if (feature === undefined) return { weights, listSizes };
  const cost = links.localName(feature, 'cost');
  const listSize = links.localName(feature, 'listSize');
  const note = (coordinate: string, { directives = [] }: Annotated): void => {
    for (const directive of directives) {
      const given = argumentsOf(directive);
      if (directive.name.value === cost && typeof given.weight === 'number')
        weights.set(coordinate, given.weight);
      else if (directive.name.value === listSize) listSizes.set(coordinate, readListSize(given));
    }
  };
  for (const definition of supergraph.definitions) {
    switch (definition.kind) {
      case Kind.SCALAR_TYPE_DEFINITION:
      case Kind.ENUM_TYPE_DEFINITION:
        note(definition.name.value, definition);
        break;
      case Kind.INPUT_OBJECT_TYPE_DEFINITION:
        for (const field of definition.fields ?? [])
          note(`${definition.name.value}.${field.name.value}`, field);
        break;
      case Kind.OBJECT_TYPE_DEFINITION:
      case Kind.INTERFACE_TYPE_DEFINITION:
        note(definition.name.value, definition);
        for (const field of definition.fields ?? []) {
          const coordinate = `${definition.name.value}.${field.name.value}`;
          note(coordinate, field);
          for (const argument of field.arguments ?? [])
            note(`${coordinate}(${argument.name.value}:)`, argument);
        }
        break;
      default:
    }
  }
  return { weights, listSizes };
}

function readListSize(given: Readonly<Record<string, unknown>>): ListSize {
  const { assumedSize, slicingArguments, sizedFields, requireOneSlicingArgument } = given;
  return {
    assumedSize: typeof assumedSize === 'number' ? assumedSize : undefined,
    slicingArguments: stringsOf(slicingArguments),
    sizedFields: stringsOf(sizedFields),
    requireOneSlicingArgument: requireOneSlicingArgument !== false,
  };
}

function stringsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}
