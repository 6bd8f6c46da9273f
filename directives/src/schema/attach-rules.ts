import { Kind } from 'graphql';
import type { ConstDirectiveNode, DefinitionNode, DocumentNode, FieldDefinitionNode } from 'graphql';
import { DirectiveError } from '../errors.js';
import type { Links } from '../specification/link.js';
import { specifiedDirectives } from '../specification/specified-directives.js';
import { meantDirective } from './check-names.js';
import type { CoordinateRules } from './coordinate-rules.js';
import { directiveNode } from './directive-node.js';
import { readGivenDirectives } from './extension-directives.js';

/** Names of the directives that rules use, as their specifications have them. */
export function namesOf(rules: CoordinateRules): ReadonlySet<string> {
  return new Set(
    Object.entries(rules).flatMap(([coordinate, given]) =>
      readGivenDirectives(given, coordinate).map(({ name }) => name),
    ),
  );
}

/**
 * Attaches rules that are given by coordinate where SDL would have them, in addition to those already there.
 *
 * @throws {DirectiveError} `INVALID_RULE` for an unknown coordinate, `UNKNOWN_DIRECTIVE` for a name that is not one of Behalf's
 * directives
 */
export function attachRules(document: DocumentNode, rules: CoordinateRules, links: Links): DocumentNode {
  const nodes = new Map(
    Object.entries(rules).map(([coordinate, given]) => [coordinate, ruleNodes(given, coordinate, links)]),
  );
  const take: Take = (coordinate) => {
    const found = nodes.get(coordinate) ?? [];
    nodes.delete(coordinate);
    return found;
  };
  const definitions = document.definitions.map((definition) => attachTo(definition, take));
  const [unknown] = nodes.keys();
  if (unknown !== undefined)
    throw new DirectiveError(
      'INVALID_RULE',
      'the schema has no such type, field, argument or value',
      unknown,
    );
  return { ...document, definitions };
}

type Take = (coordinate: string) => readonly ConstDirectiveNode[];

function attachTo(definition: DefinitionNode, take: Take): DefinitionNode {
  switch (definition.kind) {
    case Kind.OBJECT_TYPE_DEFINITION:
    case Kind.INTERFACE_TYPE_DEFINITION: {
      const name = definition.name.value;
      const fields = (definition.fields ?? []).map((field) => attachToField(field, name, take));
      return { ...withRules(definition, name, take), fields };
    }
    case Kind.SCALAR_TYPE_DEFINITION:
      return withRules(definition, definition.name.value, take);
    case Kind.ENUM_TYPE_DEFINITION: {
      const name = definition.name.value;
      const values = (definition.values ?? []).map((value) =>
        withRules(value, `${name}.${value.name.value}`, take),
      );
      return { ...withRules(definition, name, take), values };
    }
    case Kind.INPUT_OBJECT_TYPE_DEFINITION: {
      const name = definition.name.value;
      const fields = (definition.fields ?? []).map((field) =>
        withRules(field, `${name}.${field.name.value}`, take),
      );
      return { ...definition, fields };
    }
    default:
      return definition;
  }
}

function attachToField(field: FieldDefinitionNode, type: string, take: Take): FieldDefinitionNode {
  const coordinate = `${type}.${field.name.value}`;
  const args = field.arguments?.map((argument) =>
    withRules(argument, `${coordinate}(${argument.name.value}:)`, take),
  );
  const ruled = withRules(field, coordinate, take);
  return args === undefined ? ruled : { ...ruled, arguments: args };
}

function withRules<Node extends { readonly directives?: readonly ConstDirectiveNode[] | undefined }>(
  node: Node,
  coordinate: string,
  take: Take,
): Node {
  return { ...node, directives: [...(node.directives ?? []), ...take(coordinate)] };
}

function ruleNodes(given: unknown, coordinate: string, links: Links): readonly ConstDirectiveNode[] {
  const applied = readGivenDirectives(given, coordinate);
  // Most likely the author's expression for the rule is missing.
  if (applied.length === 0) throw new DirectiveError('INVALID_RULE', 'rules names no directive', coordinate);
  return applied.map(({ name, args }) => {
    const local = localNameOf(name, links);
    if (local === undefined) {
      const meant = meantDirective(name);
      throw new DirectiveError(
        'UNKNOWN_DIRECTIVE',
        `"${name}" is not one of Behalf's directives${meant === undefined ? '' : `; did you mean ${meant}?`}`,
        coordinate,
      );
    }
    return directiveNode({ name: local, args }, undefined, coordinate);
  });
}

/** The name that a specified directive has in the schema. */
function localNameOf(name: string, links: Links): string | undefined {
  const specification = specifiedDirectives.find((known) => known.name === name);
  for (const identity of specification?.identities ?? []) {
    const feature = links.feature(identity);
    if (feature !== undefined) return links.localName(feature, name);
  }
  return undefined;
}
