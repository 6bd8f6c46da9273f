import { Kind } from 'graphql';
import type { ConstDirectiveNode, DocumentNode, TypeNode } from 'graphql';
import { DirectiveError } from '../errors.js';
import { authenticated } from '../specification/authenticated.js';
import { checkSpecifications } from '../specification/check.js';
import { argumentsOf, Links } from '../specification/link.js';
import { minimize } from '../specification/minimize.js';
import type { Minimization } from '../specification/minimize.js';
import { personalData } from '../specification/personal-data.js';
import { policy } from '../specification/policy.js';
import { publicDirective } from '../specification/public.js';
import { purpose } from '../specification/purpose.js';
import { requiresScope } from '../specification/requires-scope.js';
import { requiresScopes } from '../specification/requires-scopes.js';
import { specificationOf } from '../specification/specified-directives.js';
import { subject } from '../specification/subject.js';
import { asksNothing, combine, NO_REQUIREMENT, UNCOVERED } from './requirement.js';
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

/** A place in the schema, a type or a field, and what it asks for. */
export interface RuleSource {
  readonly at: string;
  readonly requirement: Requirement;
}

export interface RuleTableOptions {
  /** `required`: a field with no rule, none inherited, and not `@public` is refused. */
  readonly coverage: 'required' | 'open';
}

/**
 * Every rule of one schema, by coordinate: compiled once, at load, from a subgraph's schema (lowered) or from a
 * supergraph.
 *
 * @throws {DirectiveError} when a rule cannot be compiled; the coordinate is in the message.
 */
export class RuleTable {
  private readonly types: ReadonlyMap<string, TypeRule>;
  private readonly implementers = new Map<string, TypeRule[]>();
  private readonly requirements = new Map<string, Requirement>();

  constructor(
    document: DocumentNode,
    private readonly options: RuleTableOptions,
  ) {
    const links = new Links(document);
    checkSpecifications(document, links);
    this.types = compileTypes(document, links);
    for (const type of this.types.values()) {
      if (type.kind !== 'object') continue;
      for (const parent of type.related) {
        const known = this.implementers.get(parent) ?? [];
        known.push(type);
        this.implementers.set(parent, known);
      }
    }
  }

  type(name: string): TypeRule | undefined {
    return this.types.get(name);
  }

  allTypes(): Iterable<TypeRule> {
    return this.types.values();
  }

  field(typeName: string, fieldName: string): FieldRule | undefined {
    return this.types.get(typeName)?.fields.get(fieldName);
  }

  /**
   * All that a selection of this field on this type asks for: its own rule, that of the type it stands on and
   * that of the type it returns; on an interface, those of every implementer that could answer as well.
   *
   * A coordinate that the table does not know is uncovered, hence refused.
   */
  requirementOf(typeName: string, fieldName: string): Requirement {
    const coordinate = `${typeName}.${fieldName}`;
    let requirement = this.requirements.get(coordinate);
    if (requirement === undefined) {
      requirement = this.compileRequirement(typeName, fieldName);
      this.requirements.set(coordinate, requirement);
    }
    return requirement;
  }

  /**
   * Where the parts of {@link requirementOf} are stated: on the field, on the type it stands on, on the type it returns, and
   * for an interface the same of every implementer that could answer. A place that asks for nothing is not listed.
   */
  sourcesOf(typeName: string, fieldName: string): readonly RuleSource[] {
    const type = this.types.get(typeName);
    if (type === undefined) return [{ at: `${typeName}.${fieldName}`, requirement: UNCOVERED }];
    // The name of a type is free: whoever reached the object met the rules of the field that returned it, and among the
    // types of a union or an interface each is judged where its fields are selected.
    if (fieldName === '__typename') return [];
    const answers = this.answersOf(typeName, fieldName);
    if (answers.length === 0) return [{ at: `${typeName}.${fieldName}`, requirement: UNCOVERED }];
    const places = new Map<string, Requirement>();
    for (const [answering, field] of answers) {
      for (const { at, requirement } of this.sourcesOnObject(answering, field)) places.set(at, requirement);
    }
    return [...places].map(([at, requirement]) => ({ at, requirement }));
  }

  /** The rules of a field by each type that it could be answered on: the type itself, and an interface's implementers. */
  answersOf(typeName: string, fieldName: string): readonly (readonly [TypeRule, FieldRule])[] {
    const type = this.types.get(typeName);
    const field = type?.fields.get(fieldName);
    if (type === undefined || field === undefined) return [];
    const answers: (readonly [TypeRule, FieldRule])[] = [[type, field]];
    if (type.kind !== 'interface') return answers;
    for (const implementer of this.implementers.get(typeName) ?? []) {
      const answer = implementer.fields.get(fieldName);
      if (answer !== undefined) answers.push([implementer, answer]);
    }
    return answers;
  }

  private compileRequirement(typeName: string, fieldName: string): Requirement {
    return combine(this.sourcesOf(typeName, fieldName).map(({ requirement }) => requirement));
  }

  private sourcesOnObject(type: TypeRule, field: FieldRule): readonly RuleSource[] {
    const returned = this.types.get(field.returns);
    const stated = [
      { at: type.name, requirement: type.own },
      { at: field.coordinate, requirement: field.own },
      { at: field.returns, requirement: returned?.own ?? NO_REQUIREMENT },
      // Composition copies the rules of the implementers up; a subgraph alone, and an older supergraph, must not ask for less.
      ...(returned?.kind === 'interface' ? (this.implementers.get(returned.name) ?? []) : []).map(
        ({ name, own }) => ({ at: name, requirement: own }),
      ),
    ].filter(({ requirement }) => !asksNothing(requirement));
    if (this.options.coverage === 'open' || stated.length > 0) return stated;
    if (field.isPublic || type.isPublic || returned?.isPublic === true) return stated;
    // An interface answers through its implementers, so it may leave the rule to them.
    if (type.kind === 'interface') return stated;
    return [{ at: field.coordinate, requirement: UNCOVERED }];
  }
}

interface MutableType {
  kind: TypeRule['kind'];
  requirements: Requirement[];
  isPublic: boolean;
  subject: string | undefined;
  fields: Map<string, FieldRule>;
  related: Set<string>;
}

function compileTypes(document: DocumentNode, links: Links): ReadonlyMap<string, TypeRule> {
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
  for (const node of nodes ?? []) {
    const specification = specificationOf(links, node.name.value);
    if (specification === publicDirective) type.isPublic = true;
    else if (specification === subject) {
      type.subject = subject.read(argumentsOf(node), coordinate);
      // Rows that belong to somebody are for nobody in particular never.
      type.requirements.push({ ...NO_REQUIREMENT, authenticated: true });
    } else type.requirements.push(readRequirement(node, links, coordinate));
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
  for (const node of nodes ?? []) {
    const specification = specificationOf(links, node.name.value);
    if (specification === publicDirective) isPublic = true;
    else if (specification === minimize) minimization = minimize.read(argumentsOf(node), coordinate);
    else if (specification === personalData) category = personalData.read(argumentsOf(node), coordinate);
    else requirements.push(readRequirement(node, links, coordinate));
  }
  return { coordinate, returns, own: combine(requirements), isPublic, minimization, personalData: category };
}

function readRequirement(node: ConstDirectiveNode, links: Links, coordinate: string): Requirement {
  const specification = specificationOf(links, node.name.value);
  const args = argumentsOf(node);
  switch (specification) {
    case authenticated:
      return { ...NO_REQUIREMENT, authenticated: true };
    case requiresScopes:
      return { ...NO_REQUIREMENT, scopes: [requiresScopes.read(args, coordinate)] };
    case requiresScope:
      return { ...NO_REQUIREMENT, scopes: [[[requiresScope.read(args, coordinate)]]] };
    case policy:
      return { ...NO_REQUIREMENT, policies: [policy.read(args, coordinate)] };
    case purpose:
      return { ...NO_REQUIREMENT, purposes: [purpose.read(args, coordinate)] };
    default:
      return NO_REQUIREMENT;
  }
}

function namedTypeOf(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : namedTypeOf(type.type);
}
