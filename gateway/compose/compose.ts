import { composeServices } from '@apollo/composition';
import { DirectiveError } from '@behalf/directives';
import {
  checkMinimizations,
  completeSubgraph,
  lowerRequiresScope,
  RuleTable,
} from '@behalf/directives/internal';
import type { Requirement } from '@behalf/directives/internal';
import { GraphQLError, parse } from 'graphql';
import type { DocumentNode } from 'graphql';
import { lostProtectionText } from '../supergraph/lost-protection.js';
import type { LostProtection } from '../supergraph/lost-protection.js';
import { implies } from '../inspect/implication.js';
import { FINDINGS } from '../inspect/lint/index.js';
import { checkFile, checkSources } from '../inspect/check-input.js';
import { checkFederation } from '../inspect/protection.js';
import { withStandardRootNames } from '../inspect/root-names.js';
import { checkDifferences, recordStatements } from '../inspect/statements.js';
import { ComposeError } from './errors.js';
import { filtersLost } from './filters-lost.js';
import { replaceFile } from './replace-file.js';
import { readSupergraphConfig } from './supergraph-config.js';
import type { SubgraphSource } from './supergraph-config.js';

interface RuledSubgraph extends SubgraphSource {
  readonly typeDefs: DocumentNode;
  /** The rules as the subgraph states them. */
  readonly written: RuleTable;
}

/**
 * Composes a supergraph whose scopes any standard router enforces: `@requiresScope` is lowered to `@requiresScopes` before
 * composition, and Behalf's other directives travel by `@composeDirective`. The supergraph records which subgraphs state the
 * rules that only subgraphs enforce.
 *
 * @throws {ConfigurationError} for an argument that cannot be used, with its path
 * @throws {ComposeError} `COMPOSE_FAILED`, with composition's own codes in `details`, or those of `behalf lint` if protection is
 *   lost
 *
 * @example
 * ```ts
 * import { composeSupergraph } from '@behalf/gateway/tools';
 * import { readFileSync } from 'node:fs';
 *
 * const supergraphSdl = composeSupergraph([
 *   { name: 'accounts', url: 'http://accounts.internal/', sdl: readFileSync('accounts.graphql', 'utf8') },
 *   { name: 'people', url: 'http://people.internal/', sdl: readFileSync('people.graphql', 'utf8') },
 * ]);
 * ```
 */
export function composeSupergraph(subgraphs: readonly SubgraphSource[]): string {
  checkSources(subgraphs);
  refuseRepeatedNames(subgraphs);
  const ruled = readSubgraphs(subgraphs);
  const result = composeServices(ruled.map(({ name, url, typeDefs }) => ({ name, url, typeDefs })));
  if (result.errors !== undefined) {
    throw new ComposeError(
      'COMPOSE_FAILED',
      'the subgraphs do not compose',
      result.errors.map((error) => `${codeOf(error)}: ${error.message}`),
    );
  }
  const document = parse(result.supergraphSdl);
  const composed = readComposedRules(document, ruled);
  const dropped = [...rulesLost(ruled, composed), ...filtersLost(ruled, composed, document)];
  if (dropped.length > 0)
    throw new ComposeError(
      'COMPOSE_FAILED',
      'the rules of the supergraph are not those of its subgraphs',
      dropped,
    );
  const supergraphSdl = recordStatements(result.supergraphSdl, document, composed, ruled);
  const lost = checkFederation(parse(supergraphSdl), composed, ruled);
  if (lost.length > 0) throw gotAround(lost, supergraphSdl);
  return supergraphSdl;
}

function gotAround(lost: readonly LostProtection[], supergraphSdl?: string): ComposeError {
  const details = lost.map((each) => `${lostProtectionText(each)}. ${FINDINGS[each.code].hint}`);
  return new ComposeError('COMPOSE_FAILED', 'rules can be got around', details, supergraphSdl);
}

/** Composition fails on them with an error of its own that has no code. @throws {ComposeError} */
function refuseRepeatedNames(subgraphs: readonly SubgraphSource[]): void {
  const names = subgraphs.map(({ name }) => name);
  const repeated = new Set(names.filter((name, index) => names.indexOf(name) !== index));
  if (repeated.size === 0) return;
  const details = [...repeated].map(
    (name) => `SUBGRAPH_NAME_REPEATED: [${name}] several subgraphs have this name`,
  );
  throw new ComposeError('COMPOSE_FAILED', 'the subgraphs do not compose', details);
}

/** @throws {ComposeError} for all unusable subgraphs together */
function readSubgraphs(subgraphs: readonly SubgraphSource[]): readonly RuledSubgraph[] {
  const details: string[] = [];
  const ruled = subgraphs.flatMap((subgraph): RuledSubgraph[] => {
    const { name, sdl } = subgraph;
    try {
      const typeDefs = lowerRequiresScope(completeSubgraph(parse(sdl)));
      // A rule that cannot be compiled would be dropped, or stop the subgraph and the gateway later.
      const renamed = withStandardRootNames(typeDefs);
      const written = new RuleTable(renamed, { coverage: 'open' });
      checkMinimizations(renamed, written);
      return [{ ...subgraph, typeDefs, written }];
    } catch (error) {
      if (error instanceof DirectiveError) details.push(`${error.code}: [${name}] ${error.message}`);
      else if (error instanceof GraphQLError) details.push(`SCHEMA_SYNTAX: [${name}] ${error.toString()}`);
      else throw error;
      return [];
    }
  });
  if (details.length > 0)
    throw new ComposeError('COMPOSE_FAILED', 'a subgraph schema cannot be used', details);
  return ruled;
}

/** A supergraph with unreadable rules (it links an unknown security feature) cannot be served. */
function readComposedRules(document: DocumentNode, subgraphs: readonly RuledSubgraph[]): RuleTable {
  try {
    return new RuleTable(document, { coverage: 'open' });
  } catch (error) {
    if (!(error instanceof DirectiveError)) throw error;
    // Composition writes down each subgraph's rule, and different ones contradict each other.
    const differences = checkDifferences(subgraphs);
    if (differences.length > 0) throw gotAround(differences);
    throw new ComposeError('COMPOSE_FAILED', 'the rules of the supergraph cannot be enforced', [
      `${error.code}: ${error.message}`,
    ]);
  }
}

/**
 * Composition silently drops what it does not know (such as a directive of a subgraph that does not link federation), and a
 * dropped rule is an open field. So each subgraph rule is looked up in the result.
 */
function rulesLost(subgraphs: readonly RuledSubgraph[], composed: RuleTable): string[] {
  return subgraphs.flatMap(({ name, written }) => {
    const lost: string[] = [];
    const need = (isThere: boolean, coordinate: string): void => {
      if (!isThere)
        lost.push(
          `RULE_LOST: [${name}] ${coordinate} has a rule that the supergraph does not have, or not as strictly`,
        );
    };
    for (const type of written.allTypes()) {
      const composedType = composed.type(type.name);
      need(keeps(composedType?.own, type.own), type.name);
      need(type.subject === undefined || composedType?.subject !== undefined, type.name);
      for (const [field, rule] of type.fields) {
        const composedRule = composedType?.fields.get(field);
        need(keeps(composedRule?.own, rule.own), rule.coordinate);
        need(rule.minimization === undefined || composedRule?.minimization !== undefined, rule.coordinate);
      }
    }
    return lost;
  });
}

/**
 * Whether everybody who meets the supergraph's rule also meets the subgraph's. Composition joins the rules of a shared field,
 * and drops one that nobody can meet (`@requiresScopes(scopes: [])`) if another subgraph has a satisfiable one.
 */
function keeps(kept: Requirement | undefined, asked: Requirement): boolean {
  // Undecided counts as lost. A rule that is repeated word for word is always found.
  return keepsKinds(asked, kept) && (kept === undefined || implies(kept, asked) === 'yes');
}

/** Whether the supergraph requires each kind of rule that a subgraph requires. */
function keepsKinds(asked: Requirement, kept: Requirement | undefined): boolean {
  return (
    (!asked.authenticated || kept?.authenticated === true) &&
    (asked.scopes.length === 0 || (kept?.scopes.length ?? 0) > 0) &&
    (asked.policies.length === 0 || (kept?.policies.length ?? 0) > 0) &&
    (asked.purposes.length === 0 || (kept?.purposes.length ?? 0) > 0)
  );
}

function codeOf(error: GraphQLError): string {
  return typeof error.extensions.code === 'string' ? error.extensions.code : 'COMPOSITION';
}

/**
 * `behalf compose`: reads rover's `supergraph.yaml`, writes the supergraph.
 *
 * @param configFile paths in it are relative to its folder
 * @returns the supergraph, and the names of its subgraphs
 * @throws {ComposeError}
 * @throws {ConfigurationError} for an argument that cannot be used, with its path
 *
 * @example
 * ```ts
 * import { compose } from '@behalf/gateway/tools';
 *
 * const { subgraphs } = await compose('supergraph.yaml', 'supergraph.graphql');
 * console.log(`composed ${subgraphs.join(', ')}`);
 * ```
 */
export async function compose(
  configFile: string,
  outputFile: string,
): Promise<{ readonly supergraphSdl: string; readonly subgraphs: readonly string[] }> {
  checkFile('outputFile', outputFile);
  const sources = await readSupergraphConfig(configFile);
  const supergraphSdl = composeSupergraph(sources);
  await replaceFile(outputFile, supergraphSdl);
  return { supergraphSdl, subgraphs: sources.map(({ name }) => name) };
}
