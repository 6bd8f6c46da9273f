import { argumentsOf, JOIN_IDENTITY, Links } from '@behalf/directives/internal';
import type { LinkedFeature } from '@behalf/directives/internal';
import { Kind } from 'graphql';
import type { ConstDirectiveNode, DocumentNode } from 'graphql';

/** One `@join__type`: a subgraph that has the type, and the key by which it provides it. */
export interface TypeJoin {
  readonly graph: string;
  /** A field set. */
  readonly key: string | undefined;
  /** It extends the type: it resolves the key's fields, whatever `@external` says. */
  readonly isExtension: boolean;
  readonly isInterfaceObject: boolean;
}

/** One `@join__field`: a subgraph's part of a field. Field sets are unparsed. */
export interface FieldJoin {
  /** Undefined: no subgraph resolves the field on this type by itself. */
  readonly graph: string | undefined;
  readonly isExternal: boolean;
  /** Overridden by another subgraph, and kept only for a key or an interface. */
  readonly isOverridden: boolean;
  /** The subgraph that it overrides. */
  readonly overrides: string | undefined;
  readonly requires: string | undefined;
  readonly provides: string | undefined;
  readonly contextArguments: readonly ContextArgument[];
}

/** An argument filled from an ancestor object (`@fromContext`). */
export interface ContextArgument {
  readonly context: string;
  readonly selection: string;
}

export interface JoinedType {
  readonly name: string;
  readonly isInterface: boolean;
  readonly interfaces: readonly string[];
  /** The same by subgraph. */
  readonly implementations: readonly { readonly graph: string; readonly interface: string }[];
  readonly joins: readonly TypeJoin[];
  readonly fields: ReadonlyMap<string, readonly FieldJoin[]>;
}

/** Which subgraph has what, as composition recorded it in the supergraph. Subgraphs go by their names. */
export class JoinMetadata {
  /** Enum values of the subgraphs → their names. */
  readonly graphNames: ReadonlyMap<string, string>;
  /** Object and interface types. */
  readonly types: ReadonlyMap<string, JoinedType>;

  constructor(document: DocumentNode, links: Links = new Links(document)) {
    const join = links.feature(JOIN_IDENTITY);
    this.graphNames = join === undefined ? new Map() : readGraphNames(document, links, join);
    this.types = join === undefined ? new Map() : this.#readTypes(document, links, join);
  }

  get graphs(): readonly string[] {
    return [...this.graphNames.values()];
  }

  #readTypes(document: DocumentNode, links: Links, join: LinkedFeature): ReadonlyMap<string, JoinedType> {
    const joinType = links.localName(join, 'type');
    const joinField = links.localName(join, 'field');
    const joinImplements = links.localName(join, 'implements');
    const nameOf = (graph: unknown): string | undefined =>
      typeof graph === 'string' ? (this.graphNames.get(graph) ?? graph) : undefined;
    const types = new Map<string, JoinedType>();
    for (const definition of document.definitions) {
      const isInterface = definition.kind === Kind.INTERFACE_TYPE_DEFINITION;
      if (!isInterface && definition.kind !== Kind.OBJECT_TYPE_DEFINITION) continue;
      types.set(definition.name.value, {
        name: definition.name.value,
        isInterface,
        interfaces: (definition.interfaces ?? []).map(({ name }) => name.value),
        implementations: applied(definition.directives, joinImplements).map((args) => ({
          graph: nameOf(args.graph) ?? '',
          interface: textOf(args.interface) ?? '',
        })),
        joins: applied(definition.directives, joinType).map((args) => ({
          graph: nameOf(args.graph) ?? '',
          key: textOf(args.key),
          isExtension: args.extension === true,
          isInterfaceObject: args.isInterfaceObject === true,
        })),
        fields: new Map(
          (definition.fields ?? []).map((field) => [
            field.name.value,
            applied(field.directives, joinField).map((args) => readFieldJoin(args, nameOf(args.graph))),
          ]),
        ),
      });
    }
    return types;
  }
}

function readFieldJoin(args: Readonly<Record<string, unknown>>, graph: string | undefined): FieldJoin {
  return {
    graph,
    isExternal: args.external === true,
    // With a label both subgraphs resolve it, each for a part of the requests.
    isOverridden: args.usedOverridden === true && typeof args.overrideLabel !== 'string',
    overrides: textOf(args.override),
    requires: textOf(args.requires),
    provides: textOf(args.provides),
    contextArguments: Array.isArray(args.contextArguments)
      ? (args.contextArguments as unknown[]).map(readContextArgument)
      : [],
  };
}

/** An unreadable field set stays in the list, under a name that nothing has, so that it is reported. */
function readContextArgument(value: unknown): ContextArgument {
  const { context, selection } = (typeof value === 'object' && value !== null ? value : {}) as Record<
    string,
    unknown
  >;
  return { context: textOf(context) ?? '', selection: textOf(selection) ?? '' };
}

function readGraphNames(
  document: DocumentNode,
  links: Links,
  join: LinkedFeature,
): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const joinGraph = links.localName(join, 'graph');
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.ENUM_TYPE_DEFINITION) continue;
    for (const value of definition.values ?? []) {
      const [graph] = applied(value.directives, joinGraph);
      if (typeof graph?.name === 'string') names.set(value.name.value, graph.name);
    }
  }
  return names;
}

function applied(
  nodes: readonly ConstDirectiveNode[] | undefined,
  name: string,
): readonly Record<string, unknown>[] {
  return (nodes ?? []).filter((node) => node.name.value === name).map(argumentsOf);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
