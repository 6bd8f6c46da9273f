import {
  completeSubgraph,
  FEDERATION_IDENTITY,
  Links,
  lowerRequiresScope,
  RuleTable,
} from '@behalf/directives/internal';
import { Kind, parse, Source, visit } from 'graphql';
import type { ASTNode, DocumentNode, FieldDefinitionNode } from 'graphql';

/** The schema of a subgraph, see {@link lint}. */
export interface LintSource {
  readonly name: string;
  readonly sdl: string;
  /** The file that the SDL was read from, if any. */
  readonly file?: string;
}

/** A subgraph as the checks see it. */
export interface LintSubgraph {
  readonly name: string;
  readonly file: string | undefined;
  /** Rules as they are written. */
  readonly written: RuleTable;
  /** Rules as the subgraph enforces them: lowered, with coverage required. */
  readonly enforced: RuleTable;
  /** Coordinates of fields that another subgraph resolves. */
  readonly external: ReadonlySet<string>;
  /** Coordinate → line of its first definition, counted from 1. */
  readonly lines: ReadonlyMap<string, number>;
}

/** @throws GraphQLError, DirectiveError for a schema that composition refuses as well */
export function readLintSubgraph({ name, sdl, file }: LintSource): LintSubgraph {
  const document = completeSubgraph(parse(new Source(sdl, file ?? name)));
  return {
    name,
    file,
    written: new RuleTable(document, { coverage: 'open' }),
    enforced: new RuleTable(lowerRequiresScope(document), { coverage: 'required' }),
    external: externalFields(document),
    lines: linesOf(document),
  };
}

function linesOf(document: DocumentNode): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  const note = (coordinate: string, node: ASTNode): void => {
    const line = node.loc?.startToken.line;
    if (line !== undefined && !lines.has(coordinate)) lines.set(coordinate, line);
  };
  for (const definition of document.definitions) {
    if (!('name' in definition)) continue;
    const name = definition.name.value;
    note(name, definition.name);
    const members = [
      ...('fields' in definition ? (definition.fields ?? []) : []),
      ...('values' in definition ? (definition.values ?? []) : []),
    ];
    for (const member of members) {
      const coordinate = `${name}.${member.name.value}`;
      note(coordinate, member.name);
      if (!('arguments' in member)) continue;
      for (const argument of member.arguments ?? [])
        note(`${coordinate}(${argument.name.value}:)`, argument.name);
    }
  }
  return lines;
}

function externalFields(document: DocumentNode): ReadonlySet<string> {
  const links = new Links(document);
  const external = new Set<string>();
  const isExternal = (node: FieldDefinitionNode): boolean =>
    (node.directives ?? []).some(({ name }) => {
      const resolved = links.resolve(name.value);
      return resolved?.feature.identity === FEDERATION_IDENTITY && resolved.name === 'external';
    });
  visit(document, {
    enter(node) {
      if (node.kind !== Kind.OBJECT_TYPE_DEFINITION && node.kind !== Kind.OBJECT_TYPE_EXTENSION)
        return undefined;
      for (const field of node.fields ?? []) {
        if (isExternal(field)) external.add(`${node.name.value}.${field.name.value}`);
      }
      return false;
    },
  });
  return external;
}
