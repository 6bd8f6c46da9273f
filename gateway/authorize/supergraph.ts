import {
  AUTHENTICATED_IDENTITY,
  argumentsOf,
  DirectiveError,
  JOIN_IDENTITY,
  Links,
  POLICY_IDENTITY,
  REQUIRES_SCOPES_IDENTITY,
  RuleTable,
} from '@behalf/directives';
import type { ErrorDescription, Requirement } from '@behalf/directives';
import { buildASTSchema, GraphQLError, Kind, parse, print, visit } from 'graphql';
import type { ConstDirectiveNode, DocumentNode, GraphQLSchema } from 'graphql';
import { readAccountable } from './accountable.js';
import type { AccountableField, SubgraphVocabulary } from './types.js';

export const supergraphErrors = Object.freeze({
  SUPERGRAPH_UNREADABLE: {
    description: 'The text is no supergraph: it does not parse, or it was not composed.',
    since: '0.1.0',
  },
  SUPERGRAPH_RULES: { description: 'A rule in it cannot be enforced as it stands.', since: '0.1.0' },
  SUPERGRAPH_POLICY: {
    description: 'It and the policy do not name the same scopes or purposes; the message lists them.',
    since: '0.1.0',
  },
} satisfies Record<string, ErrorDescription>);

export type SupergraphErrorCode = keyof typeof supergraphErrors;

/** A supergraph that must not be served. */
export class SupergraphError extends Error {
  override readonly name = 'SupergraphError';

  constructor(
    readonly code: SupergraphErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** One supergraph, read once: what is decided by, and what is handed on. */
export interface Supergraph {
  readonly rules: RuleTable;
  readonly schema: GraphQLSchema;
  readonly executableSdl: string;
  readonly vocabularies: ReadonlyMap<string, SubgraphVocabulary>;
  readonly accountable: ReadonlyMap<string, ReadonlyMap<string, AccountableField>>;
  /** Names under which @apollo/gateway keeps in its response what it joins subgraphs by, beside what the client selected. */
  readonly joinNames: ReadonlySet<string>;
}

/**
 * Reads a composed supergraph.
 *
 * @throws {SupergraphError} when it cannot be read or a rule in it cannot be enforced.
 */
export function readSupergraph(sdl: string, coverage: 'required' | 'open'): Supergraph {
  try {
    const document = parse(sdl);
    const links = new Links(document);
    const join = links.feature(JOIN_IDENTITY);
    if (join === undefined) {
      throw new SupergraphError(
        'SUPERGRAPH_UNREADABLE',
        'the schema does not link join: it was not composed',
      );
    }
    const rules = new RuleTable(document, { coverage });
    return {
      rules,
      schema: buildASTSchema(document, { assumeValid: true, assumeValidSDL: true }),
      executableSdl: print(withoutSecurityPurposes(document, links)),
      vocabularies: readVocabularies(document, links, rules),
      accountable: readAccountable(document, links, rules, readGraphNames(document, links)),
      joinNames: readJoinNames(document, links),
    };
  } catch (error) {
    if (error instanceof SupergraphError) throw error;
    if (error instanceof DirectiveError) {
      throw new SupergraphError('SUPERGRAPH_RULES', error.message, { cause: error });
    }
    if (error instanceof GraphQLError) {
      throw new SupergraphError('SUPERGRAPH_UNREADABLE', error.message, { cause: error });
    }
    throw error;
  }
}

/** The security features that are enforced here, and that @apollo/gateway refuses to load. */
const ENFORCED_HERE: ReadonlySet<string> = new Set([
  AUTHENTICATED_IDENTITY,
  REQUIRES_SCOPES_IDENTITY,
  POLICY_IDENTITY,
]);

/**
 * Takes `for: SECURITY` from the links that this gateway enforces itself. The purpose of any other feature stays, so
 * that @apollo/gateway goes on refusing what nobody understands.
 */
function withoutSecurityPurposes(document: DocumentNode, links: Links): DocumentNode {
  const enforced = new Set(
    links.features.filter((feature) => ENFORCED_HERE.has(feature.identity)).map((feature) => feature.node),
  );
  const strip = (nodes: readonly ConstDirectiveNode[] | undefined): ConstDirectiveNode[] =>
    (nodes ?? []).map((node) =>
      enforced.has(node)
        ? { ...node, arguments: (node.arguments ?? []).filter((argument) => argument.name.value !== 'for') }
        : node,
    );
  return {
    ...document,
    definitions: document.definitions.map((definition) =>
      definition.kind === Kind.SCHEMA_DEFINITION || definition.kind === Kind.SCHEMA_EXTENSION
        ? { ...definition, directives: strip(definition.directives) }
        : definition,
    ),
  };
}

interface Words {
  readonly scopes: Set<string>;
  readonly policies: Set<string>;
  readonly purposes: Set<string>;
}

/** Which scopes, policies and purposes the rules of each subgraph's fields can ask for. */
function readVocabularies(
  document: DocumentNode,
  links: Links,
  rules: RuleTable,
): ReadonlyMap<string, SubgraphVocabulary> {
  const names = readGraphNames(document, links);
  const words = new Map<string, Words>();
  for (const name of names.values()) {
    words.set(name, { scopes: new Set(), policies: new Set(), purposes: new Set() });
  }
  const join = links.feature(JOIN_IDENTITY);
  if (join === undefined) return words;
  const joinType = links.localName(join, 'type');
  const joinField = links.localName(join, 'field');

  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.INTERFACE_TYPE_DEFINITION)
      continue;
    const ofType = graphsOf(definition.directives, joinType);
    for (const field of definition.fields ?? []) {
      const ofField = graphsOf(field.directives, joinField);
      const requirement = rules.requirementOf(definition.name.value, field.name.value);
      const unless = rules.field(definition.name.value, field.name.value)?.minimization?.unless ?? [];
      for (const graph of ofField.length > 0 ? ofField : ofType) {
        const known = words.get(names.get(graph) ?? '');
        if (known === undefined) continue;
        addWords(known, requirement);
        for (const scope of unless.flat()) known.scopes.add(scope);
      }
    }
  }
  return words;
}

function addWords(words: Words, requirement: Requirement): void {
  for (const scope of requirement.scopes.flat(2)) words.scopes.add(scope);
  for (const policy of requirement.policies.flat(2)) words.policies.add(policy);
  for (const purpose of requirement.purposes.flat()) words.purposes.add(purpose);
}

/** Every name in a `@key`, `@requires` or `@provides`, and the type's. */
function readJoinNames(document: DocumentNode, links: Links): ReadonlySet<string> {
  const join = links.feature(JOIN_IDENTITY);
  const names = new Set(['__typename']);
  if (join === undefined) return names;
  const joinType = links.localName(join, 'type');
  const joinField = links.localName(join, 'field');
  visit(document, {
    Directive(node) {
      if (node.name.value !== joinType && node.name.value !== joinField) return;
      const { key, requires, provides } = argumentsOf(node as ConstDirectiveNode);
      for (const fieldSet of [key, requires, provides]) {
        if (typeof fieldSet !== 'string') continue;
        for (const [name] of fieldSet.matchAll(/\w+/g)) names.add(name);
      }
    },
  });
  return names;
}

/** Values of the enumeration of subgraphs → their names. */
function readGraphNames(document: DocumentNode, links: Links): ReadonlyMap<string, string> {
  const join = links.feature(JOIN_IDENTITY);
  const names = new Map<string, string>();
  if (join === undefined) return names;
  const joinGraph = links.localName(join, 'graph');
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.ENUM_TYPE_DEFINITION) continue;
    for (const value of definition.values ?? []) {
      const graph = value.directives?.find((node) => node.name.value === joinGraph);
      const name = graph === undefined ? undefined : argumentsOf(graph).name;
      if (typeof name === 'string') names.set(value.name.value, name);
    }
  }
  return names;
}

function graphsOf(nodes: readonly ConstDirectiveNode[] | undefined, directive: string): string[] {
  return (nodes ?? []).flatMap((node) => {
    if (node.name.value !== directive) return [];
    const { graph } = argumentsOf(node);
    return typeof graph === 'string' ? [graph] : [];
  });
}
