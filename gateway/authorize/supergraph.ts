import { DirectiveError } from '@behalf/directives';
import {
  AUTHENTICATED_IDENTITY,
  FilterInputs,
  JOIN_IDENTITY,
  liftingScopes,
  Links,
  POLICY_IDENTITY,
  REQUIRES_SCOPES_IDENTITY,
  RuleTable,
} from '@behalf/directives/internal';
import type { ErrorDescription, Minimization, Requirement } from '@behalf/directives/internal';
import { buildASTSchema, GraphQLError, Kind, parse, print } from 'graphql';
import type { ConstDirectiveNode, DocumentNode, GraphQLSchema } from 'graphql';
import { readFieldSet } from '../supergraph/field-set.js';
import { joiningCoordinates, minimizedTypes } from '../supergraph/minimized-types.js';
import type { MinimizedType } from '../supergraph/minimized-types.js';
import { JoinMetadata } from '../supergraph/join.js';
import { checkProtection, lostProtectionText } from '../supergraph/lost-protection.js';
import { readAccountable } from './accountable.js';
import type { AccountableField, SubgraphVocabulary } from './types.js';

export const supergraphErrors = Object.freeze({
  SUPERGRAPH_UNREADABLE: {
    description: 'The text is not a supergraph: it does not parse, or was not composed.',
    since: '0.1.0',
  },
  SUPERGRAPH_NOT_SERVED: {
    description:
      'It has a feature with which `@apollo/gateway` does not start, such as `@cacheTag`; the message names it.',
    since: '0.1.0',
  },
  SUPERGRAPH_RULES: { description: 'A rule in it cannot be enforced.', since: '0.1.0' },
  SUPERGRAPH_PROTECTION_LOST: {
    description:
      'A rule in it can be got around: through `@requires`, or through a subgraph that does not state it. The message names the coordinates.',
    since: '0.1.0',
  },
  SUPERGRAPH_POLICY: {
    description:
      'It and the policy do not name the same scopes, purposes or levels of detail; the message lists them.',
    since: '0.1.0',
  },
} satisfies Record<string, ErrorDescription>);

/** Every code of a {@link SupergraphError}. */
export type SupergraphErrorCode = keyof typeof supergraphErrors;

/**
 * A supergraph that must not be served. `code` says why; the message names the coordinates.
 *
 * @example
 * ```ts
 * import { type ProtectedGateway, SupergraphError } from '@behalf/gateway';
 *
 * export async function load(gateway: ProtectedGateway): Promise<void> {
 *   try {
 *     await gateway.load();
 *   } catch (error) {
 *     if (!(error instanceof SupergraphError)) throw error;
 *     console.error(`${error.code}: ${error.message}`);
 *   }
 * }
 * ```
 */
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

/** One supergraph, read once: the basis of decisions, and the version to pass on. */
export interface Supergraph {
  readonly rules: RuleTable;
  readonly schema: GraphQLSchema;
  readonly executableSdl: string;
  readonly vocabularies: ReadonlyMap<string, SubgraphVocabulary>;
  readonly accountable: ReadonlyMap<string, ReadonlyMap<string, AccountableField>>;
  /** The part of the schema's input that `@filters` puts under rules. */
  readonly filterInputs: FilterInputs;
  /** The minimized fields that a subgraph can resolve, by type. */
  readonly minimizedTypesOf: (subgraph: string) => ReadonlyMap<string, MinimizedType>;
  /** Coordinates by which several subgraphs join objects. */
  readonly joining: ReadonlySet<string>;
  /** Names under which @apollo/gateway keeps the keys that join subgraphs in its response, beside the client's selections. */
  readonly joinNames: ReadonlySet<string>;
}

/**
 * Reads a composed supergraph that is to be served.
 *
 * @throws {SupergraphError} if it cannot be read, or a rule in it cannot be enforced or can be bypassed
 */
export function loadSupergraph(sdl: string, coverage: 'required' | 'open'): Supergraph {
  const supergraph = readSupergraph(sdl, coverage);
  const lost = readable(() => {
    const document = parse(sdl);
    // Coverage refuses fields without a rule, but is not a rule that could be repeated.
    const rules = coverage === 'open' ? supergraph.rules : new RuleTable(document, { coverage: 'open' });
    return checkProtection(document, rules);
  });
  if (lost.length === 0) return supergraph;
  const named = lost.slice(0, NAMED_LOSSES).map(lostProtectionText);
  const more = lost.length > NAMED_LOSSES ? [`and ${lost.length - NAMED_LOSSES} more`] : [];
  throw new SupergraphError('SUPERGRAPH_PROTECTION_LOST', [...named, ...more].join('; '));
}

/** Losses that a message names; `behalf lint` lists all. */
const NAMED_LOSSES = 20;

/**
 * Reads a composed supergraph, even one whose rules can be bypassed.
 *
 * @throws {SupergraphError} if it cannot be read, or a rule in it cannot be enforced
 */
export function readSupergraph(sdl: string, coverage: 'required' | 'open'): Supergraph {
  return readable(() => {
    const document = parse(sdl);
    const links = new Links(document);
    if (links.feature(JOIN_IDENTITY) === undefined) {
      throw new SupergraphError(
        'SUPERGRAPH_UNREADABLE',
        'the schema does not link join: it was not composed',
      );
    }
    const rules = new RuleTable(document, { coverage });
    const join = new JoinMetadata(document, links);
    const schema = buildASTSchema(document, { assumeValid: true, assumeValidSDL: true });
    const accountable = readAccountable(join, rules);
    return {
      rules,
      schema,
      filterInputs: new FilterInputs(schema, rules.filters),
      executableSdl: print(withoutSecurityPurposes(document, links)),
      vocabularies: readVocabularies(join, rules),
      accountable,
      minimizedTypesOf: (subgraph) =>
        minimizedTypes(subgraph, accountable.get(subgraph) ?? new Map(), join, rules),
      joining: joiningCoordinates(join, rules),
      joinNames: readJoinNames(join),
    };
  });
}

function readable<Result>(read: () => Result): Result {
  try {
    return read();
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
 * Removes `for: SECURITY` from the links that this gateway enforces itself. Any other feature keeps it, so that @apollo/gateway
 * refuses unknown ones.
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
  isKeyedByPurposes: boolean;
}

/** The scopes, policies and purposes that the rules of each subgraph's fields can require. */
function readVocabularies(join: JoinMetadata, rules: RuleTable): ReadonlyMap<string, SubgraphVocabulary> {
  const words = new Map<string, Words>();
  for (const name of join.graphs)
    words.set(name, {
      ...{ scopes: new Set(), policies: new Set(), purposes: new Set() },
      isKeyedByPurposes: false,
    });
  for (const type of join.types.values()) {
    const ofType = type.joins.map(({ graph }) => graph);
    const everyRow = rules.type(type.name)?.subject?.unless.flat() ?? [];
    for (const [field, joins] of type.fields) {
      const ofField = joins.flatMap(({ graph }) => graph ?? []);
      const requirement = rules.requirementOf(type.name, field);
      const minimization = rules.field(type.name, field)?.minimization;
      const unless = liftingScopes(minimization);
      for (const graph of ofField.length > 0 ? ofField : ofType) {
        const known = words.get(graph);
        if (known === undefined) continue;
        addWords(known, requirement);
        for (const scope of [...unless.flat(), ...everyRow]) known.scopes.add(scope);
        known.isKeyedByPurposes ||= isKeyedByPurposes(minimization);
      }
    }
  }
  return words;
}

/** Pseudonyms and noise are others for other purposes, so that one client cannot join what it got for several. */
function isKeyedByPurposes(minimization: Minimization | undefined): boolean {
  return minimization?.statements.some(({ to }) => to === 'PSEUDONYMIZE' || to === 'NOISE') === true;
}

function addWords(words: Words, requirement: Requirement): void {
  for (const scope of requirement.scopes.flat(2)) words.scopes.add(scope);
  for (const policy of requirement.policies.flat(2)) words.policies.add(policy);
  for (const purpose of requirement.purposes.flat()) words.purposes.add(purpose);
}

/**
 * Every name in a field set, and the type's.
 *
 * @throws GraphQLError for a field set that cannot be read.
 */
function readJoinNames(join: JoinMetadata): ReadonlySet<string> {
  const names = new Set(['__typename']);
  const add = (fieldSet: string | undefined): void => {
    if (fieldSet === undefined) return;
    readFieldSet(fieldSet);
    for (const [name] of fieldSet.matchAll(/\w+/g)) names.add(name);
  };
  for (const { joins, fields } of join.types.values()) {
    for (const { key } of joins) add(key);
    for (const { requires, provides, contextArguments } of [...fields.values()].flat()) {
      add(requires);
      add(provides);
      for (const { selection } of contextArguments) add(selection);
    }
  }
  return names;
}
