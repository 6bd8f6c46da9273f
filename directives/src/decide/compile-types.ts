import { Kind } from 'graphql';
import type { ConstDirectiveNode, DocumentNode, TypeNode } from 'graphql';
import { DirectiveError } from '../errors.js';
import { argumentsOf } from '../specification/link.js';
import type { Links } from '../specification/link.js';
import type { Minimization } from '../specification/minimize.js';
import { specificationOf } from '../specification/specified-directives.js';
import { readMeaning } from './meaning.js';
import type { Meaning } from './meaning.js';
import { combine, NO_REQUIREMENT } from './requirement.js';
import type { Requirement } from './requirement.js';

export interface FieldRule {
  readonly coordinate: string;
  /** Name of the type it returns, without lists and non-null. */
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
  /** Property of a row that holds its subject (`@subject`). */
  readonly subject: string | undefined;
  readonly fields: ReadonlyMap<string, FieldRule>;
  /** Interfaces that it implements, or member types of a union. */
  readonly related: readonly string[];
}

interface MutableType {
  kind: TypeRule['kind'];
  requirements: Requirement[];
  isPublic: boolean;
  subject: string | undefined;
  fields: Map<string, FieldRule>;
  related: Set<string>;
}

/** Every type of a schema with the rules that its directives state, extensions joined to what they extend. */
export function compileTypes(document: DocumentNode, links: Links): ReadonlyMap<string, TypeRule> {
  const types = new Map<string, MutableType>();
  const open = (name: string, kind: TypeRule['kind']): MutableType => {
    const known = types.get(name);
    if (known !== undefined) return known;
    const created: MutableType = {
      kind,
      requirements: [],
      isPublic: false,
      subject: undefined,
      fields: new Map(),
      related: new Set(),
    };
    types.set(name, created);
    return created;
  };

  for (const definition of document.definitions) {
    switch (definition.kind) {
      case Kind.OBJECT_TYPE_DEFINITION:
      case Kind.OBJECT_TYPE_EXTENSION:
      case Kind.INTERFACE_TYPE_DEFINITION:
      case Kind.INTERFACE_TYPE_EXTENSION: {
        const isObject =
          definition.kind === Kind.OBJECT_TYPE_DEFINITION || definition.kind === Kind.OBJECT_TYPE_EXTENSION;
        const type = open(definition.name.value, isObject ? 'object' : 'interface');
        readTypeDirectives(type, definition.directives, links, definition.name.value);
        for (const parent of definition.interfaces ?? []) type.related.add(parent.name.value);
        for (const field of definition.fields ?? []) {
          const coordinate = `${definition.name.value}.${field.name.value}`;
          const rule = readFieldRule(field.directives, links, coordinate, namedTypeOf(field.type));
          if (!isObject && (rule.minimization !== undefined || rule.own.purposes.length > 0)) {
            throw new DirectiveError(
              'INVALID_RULE',
              'put this rule on the fields of the implementing types',
              coordinate,
            );
          }
          type.fields.set(field.name.value, rule);
        }
        break;
      }
      case Kind.UNION_TYPE_DEFINITION:
      case Kind.UNION_TYPE_EXTENSION:
        for (const member of definition.types ?? [])
          open(definition.name.value, 'union').related.add(member.name.value);
        break;
      case Kind.ENUM_TYPE_DEFINITION:
      case Kind.ENUM_TYPE_EXTENSION:
      case Kind.SCALAR_TYPE_DEFINITION:
      case Kind.SCALAR_TYPE_EXTENSION: {
        const isEnum =
          definition.kind === Kind.ENUM_TYPE_DEFINITION || definition.kind === Kind.ENUM_TYPE_EXTENSION;
        const type = open(definition.name.value, isEnum ? 'enum' : 'scalar');
        readTypeDirectives(type, definition.directives, links, definition.name.value);
        break;
      }
      default:
    }
  }

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

function readTypeDirectives(
  type: MutableType,
  nodes: readonly ConstDirectiveNode[] | undefined,
  links: Links,
  coordinate: string,
): void {
  for (const meaning of meaningsOf(nodes, links, coordinate)) {
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
        type.subject = meaning.property;
        // `@subject` implies `@authenticated`: a caller without a delegation owns no rows.
        type.requirements.push({ ...NO_REQUIREMENT, authenticated: true });
        break;
      case 'minimization':
      case 'personalData':
        throw new DirectiveError('INVALID_RULE', 'this directive belongs on a field', coordinate);
    }
  }
}

function readFieldRule(
  nodes: readonly ConstDirectiveNode[] | undefined,
  links: Links,
  coordinate: string,
  returns: string,
): FieldRule {
  const requirements: Requirement[] = [];
  let isPublic = false;
  let minimization: Minimization | undefined;
  let category: string | undefined;
  for (const meaning of meaningsOf(nodes, links, coordinate)) {
    switch (meaning.kind) {
      case 'requirement':
        requirements.push(meaning.requirement);
        break;
      case 'public':
        isPublic = true;
        break;
      case 'minimization':
        minimization = meaning.minimization;
        break;
      case 'personalData':
        category = meaning.category;
        break;
      case 'subject':
        throw new DirectiveError('INVALID_RULE', 'this directive belongs on an object type', coordinate);
    }
  }
  return { coordinate, returns, own: combine(requirements), isPublic, minimization, personalData: category };
}

/** Directives of nobody's concern here (`@key`, `@deprecated`, a team's own) have no specification and are passed over. */
function meaningsOf(
  nodes: readonly ConstDirectiveNode[] | undefined,
  links: Links,
  coordinate: string,
): readonly Meaning[] {
  return (nodes ?? []).flatMap((node) => {
    const specification = specificationOf(links, node.name.value);
    return specification === undefined ? [] : [readMeaning(specification, argumentsOf(node), coordinate)];
  });
}

function namedTypeOf(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : namedTypeOf(type.type);
}
