import { Kind } from 'graphql';
import type {
  ConstDirectiveNode,
  DefinitionNode,
  DocumentNode,
  FieldDefinitionNode,
  InterfaceTypeDefinitionNode,
  InterfaceTypeExtensionNode,
  NameNode,
  ObjectTypeDefinitionNode,
  ObjectTypeExtensionNode,
  TypeNode,
} from 'graphql';
import { DirectiveError } from '../errors.js';
import { argumentsOf } from '../specification/link.js';
import type { Links } from '../specification/link.js';
import type { MinimizeStatement } from '../specification/minimize.js';
import type { SubjectRule } from '../specification/subject.js';
import { specificationOf } from '../specification/specified-directives.js';
import type { Meaning } from '../specification/specified-directives.js';
import { joinStatements } from './minimization.js';
import type { Minimization } from './minimization.js';
import { combine, NO_REQUIREMENT } from './requirement.js';
import type { Requirement } from './requirement.js';

export interface FieldRule {
  readonly coordinate: string;
  /** Name of the return type, without lists and non-null. */
  readonly returns: string;
  /** From the directives on the field itself. */
  readonly own: Requirement;
  readonly isPublic: boolean;
  readonly minimization: Minimization | undefined;
  readonly personalData: string | undefined;
}

export interface TypeRule {
  readonly name: string;
  readonly kind: 'object' | 'interface' | 'union' | 'enum' | 'scalar';
  readonly own: Requirement;
  readonly isPublic: boolean;
  /** Whose its rows are (`@subject`). */
  readonly subject: SubjectRule | undefined;
  readonly fields: ReadonlyMap<string, FieldRule>;
  /** Its interfaces, or the members of a union. */
  readonly related: readonly string[];
}

type CompositeNode =
  | ObjectTypeDefinitionNode
  | ObjectTypeExtensionNode
  | InterfaceTypeDefinitionNode
  | InterfaceTypeExtensionNode;

/** An element of a schema that directives stand on. */
export interface RuledNode {
  readonly directives?: readonly ConstDirectiveNode[] | undefined;
}

interface MutableType {
  kind: TypeRule['kind'];
  requirements: Requirement[];
  isPublic: boolean;
  subject: SubjectRule | undefined;
  fields: Map<string, FieldRule>;
  related: Set<string>;
}

/** Every type of a schema with the rules of its directives, extensions included. */
export function compileTypes(document: DocumentNode, links: Links): ReadonlyMap<string, TypeRule> {
  const types = new Map<string, MutableType>();
  const context = { links, rootNames: standardRootNames(document) };
  for (const definition of document.definitions) readDefinition(definition, types, context);
  return new Map(
    [...types].map(([name, type]) => [
      name,
      {
        name,
        kind: type.kind,
        own: combine(type.requirements),
        isPublic: type.isPublic,
        subject: type.subject,
        fields: type.fields,
        related: [...type.related],
      },
    ]),
  );
}

/** The type with this name, created on first use. */
function open(types: Map<string, MutableType>, name: string, kind: TypeRule['kind']): MutableType {
  let type = types.get(name);
  if (type === undefined) {
    type = {
      kind,
      requirements: [],
      isPublic: false,
      subject: undefined,
      fields: new Map(),
      related: new Set(),
    };
    types.set(name, type);
  }
  return type;
}

interface Context {
  readonly links: Links;
  /** Of root types, by their names in this schema. */
  readonly rootNames: ReadonlyMap<string, string>;
}

function readDefinition(definition: DefinitionNode, types: Map<string, MutableType>, context: Context): void {
  const { links } = context;
  switch (definition.kind) {
    case Kind.OBJECT_TYPE_DEFINITION:
    case Kind.OBJECT_TYPE_EXTENSION:
      readComposite(definition, open(types, definition.name.value, 'object'), context);
      break;
    case Kind.INTERFACE_TYPE_DEFINITION:
    case Kind.INTERFACE_TYPE_EXTENSION:
      readComposite(definition, open(types, definition.name.value, 'interface'), context);
      break;
    case Kind.UNION_TYPE_DEFINITION:
    case Kind.UNION_TYPE_EXTENSION:
      for (const member of definition.types ?? [])
        open(types, definition.name.value, 'union').related.add(member.name.value);
      break;
    case Kind.ENUM_TYPE_DEFINITION:
    case Kind.ENUM_TYPE_EXTENSION:
      readTypeDirectives(open(types, definition.name.value, 'enum'), definition, links);
      break;
    case Kind.SCALAR_TYPE_DEFINITION:
    case Kind.SCALAR_TYPE_EXTENSION:
      readTypeDirectives(open(types, definition.name.value, 'scalar'), definition, links);
      break;
    default:
  }
}

function readComposite(node: CompositeNode, type: MutableType, { links, rootNames }: Context): void {
  readTypeDirectives(type, node, links);
  for (const parent of node.interfaces ?? []) type.related.add(parent.name.value);
  for (const field of node.fields ?? []) {
    const coordinate = `${node.name.value}.${field.name.value}`;
    const inSupergraph = `${rootNames.get(node.name.value) ?? node.name.value}.${field.name.value}`;
    const rule = readFieldRule(field, links, { coordinate, inSupergraph });
    if (type.kind === 'interface' && (rule.minimization !== undefined || rule.own.purposes.length > 0)) {
      throw new DirectiveError(
        'INVALID_RULE',
        'put this rule on the fields of the implementing types',
        coordinate,
      );
    }
    type.fields.set(field.name.value, rule);
  }
}

function readTypeDirectives(
  type: MutableType,
  node: RuledNode & { readonly name: NameNode },
  links: Links,
): void {
  const coordinate = node.name.value;
  for (const meaning of meaningsOf(node, links, coordinate)) {
    switch (meaning.kind) {
      case 'requirement':
        type.requirements.push(meaning.requirement);
        break;
      case 'public':
        type.isPublic = true;
        break;
      case 'subject':
        if (type.kind !== 'object')
          throw new DirectiveError('INVALID_RULE', 'this directive belongs on an object type', coordinate);
        type.subject = meaning.subject;
        // `@subject` implies `@authenticated`: anonymous callers own no rows.
        type.requirements.push({ ...NO_REQUIREMENT, authenticated: true });
        break;
      case 'minimization':
      case 'personalData':
        throw new DirectiveError('INVALID_RULE', 'this directive belongs on a field', coordinate);
      case 'filters':
        throw belongsOnInput(coordinate);
      default:
        refuseUnknown(meaning, coordinate);
    }
  }
}

function readFieldRule(
  node: FieldDefinitionNode,
  links: Links,
  { coordinate, inSupergraph }: { readonly coordinate: string; readonly inSupergraph: string },
): FieldRule {
  const requirements: Requirement[] = [];
  let isPublic = false;
  const statements: MinimizeStatement[] = [];
  let category: string | undefined;
  for (const meaning of meaningsOf(node, links, coordinate)) {
    switch (meaning.kind) {
      case 'requirement':
        requirements.push(meaning.requirement);
        break;
      case 'public':
        isPublic = true;
        break;
      case 'minimization':
        statements.push(meaning.statement);
        break;
      case 'personalData':
        category = meaning.category;
        break;
      case 'subject':
        throw new DirectiveError('INVALID_RULE', 'this directive belongs on an object type', coordinate);
      case 'filters':
        throw belongsOnInput(coordinate);
      default:
        refuseUnknown(meaning, coordinate);
    }
  }
  const returns = namedTypeOf(node.type);
  const joined = joinStatements(statements, coordinate, category);
  // Levels, pseudonyms and noise go by the supergraph's names, in which root types have their standard ones.
  const minimization = joined === undefined ? undefined : { ...joined, coordinate: inSupergraph };
  return { coordinate, returns, own: combine(requirements), isPublic, minimization, personalData: category };
}

function belongsOnInput(coordinate: string): DirectiveError {
  return new DirectiveError(
    'INVALID_RULE',
    'this directive belongs on an argument, an input field or an enum value',
    coordinate,
  );
}

/**
 * The parameter is `never`, so a directive without a case does not compile. One that still gets here stops the start, because
 * guessing its meaning would protect nothing.
 */
function refuseUnknown(meaning: never, coordinate: string): never {
  const { kind } = meaning as { readonly kind: string };
  throw new DirectiveError(
    'UNKNOWN_DIRECTIVE',
    `a rule of the kind "${kind}" has no meaning here`,
    coordinate,
  );
}

/** Other directives (`@key`, `@deprecated`, a team's own) have no specification here and are ignored. */
export function meaningsOf(node: RuledNode, links: Links, coordinate: string): readonly Meaning[] {
  return (node.directives ?? []).flatMap((directive) => {
    const specification = specificationOf(links, directive.name.value);
    return specification === undefined ? [] : [specification.compile(argumentsOf(directive), coordinate)];
  });
}

function namedTypeOf(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : namedTypeOf(type.type);
}

const ROOT_NAMES = { query: 'Query', mutation: 'Mutation', subscription: 'Subscription' } as const;

/** The names of root types in a supergraph, by their names in this schema. */
function standardRootNames({ definitions }: DocumentNode): ReadonlyMap<string, string> {
  return new Map(
    definitions.flatMap((definition) =>
      definition.kind === Kind.SCHEMA_DEFINITION || definition.kind === Kind.SCHEMA_EXTENSION
        ? (definition.operationTypes ?? []).map(
            ({ operation, type }) => [type.name.value, ROOT_NAMES[operation]] as const,
          )
        : [],
    ),
  );
}
