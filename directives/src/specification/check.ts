import { Kind, visit } from 'graphql';
import type { ASTNode, DocumentNode } from 'graphql';
import { DirectiveError } from '../errors.js';
import { nearest } from '../nearest.js';
import { coordinateOf } from './coordinate.js';
import type { DirectiveSpecification } from './directive-specification.js';
import {
  AUTHENTICATED_IDENTITY,
  BEHALF_IDENTITY,
  BEHALF_VERSION,
  FEDERATION_IDENTITY,
  INACCESSIBLE_IDENTITY,
  JOIN_IDENTITY,
  parseFeatureUrl,
  POLICY_IDENTITY,
  REQUIRES_SCOPES_IDENTITY,
  STANDARD_RULE_VERSION,
} from './feature.js';
import type { LinkedFeature, Links } from './link.js';
import { specificationOf, specifiedDirectives } from './specified-directives.js';
import { STATED_BY } from './stated-by.js';

const KNOWN_VERSIONS: ReadonlyMap<string, string> = new Map([
  [BEHALF_IDENTITY, BEHALF_VERSION],
  [AUTHENTICATED_IDENTITY, STANDARD_RULE_VERSION],
  [REQUIRES_SCOPES_IDENTITY, STANDARD_RULE_VERSION],
  [POLICY_IDENTITY, STANDARD_RULE_VERSION],
]);

/**
 * Linked `for: SECURITY`, and enforced by the gateway: @apollo/gateway removes `@inaccessible` elements from the schema before
 * an operation is validated, and refuses unknown versions of it.
 */
const ENFORCED_BY_GATEWAY: ReadonlySet<string> = new Set([INACCESSIBLE_IDENTITY]);

/** Names that promise protection: a directive with one of them must be linked, or it would protect nothing. */
const PROTECTIVE_NAMES: ReadonlySet<string> = new Set(
  specifiedDirectives.filter(({ protects }) => protects).map(({ name }) => name),
);

const BEHALF_NAME = parseFeatureUrl(BEHALF_IDENTITY).name;

/** Where rules on output are read. One of these directives anywhere else (an argument, a union) would protect nothing. */
const READ_ON: ReadonlySet<string> = new Set([
  Kind.FIELD_DEFINITION,
  Kind.OBJECT_TYPE_DEFINITION,
  Kind.OBJECT_TYPE_EXTENSION,
  Kind.INTERFACE_TYPE_DEFINITION,
  Kind.INTERFACE_TYPE_EXTENSION,
  Kind.ENUM_TYPE_DEFINITION,
  Kind.ENUM_TYPE_EXTENSION,
  Kind.SCALAR_TYPE_DEFINITION,
  Kind.SCALAR_TYPE_EXTENSION,
]);

/** Where rules on input are read. Arguments of a directive are input values as well, but no caller sends them. */
const INPUT_READ_ON: ReadonlySet<string> = new Set([Kind.INPUT_VALUE_DEFINITION, Kind.ENUM_VALUE_DEFINITION]);

function isReadOn(
  { isOnInput }: DirectiveSpecification,
  ancestors: readonly (ASTNode | readonly ASTNode[])[],
): boolean {
  const owner = ancestors.at(-1);
  if (owner === undefined || !('kind' in owner)) return false;
  if (isOnInput !== true) return READ_ON.has(owner.kind);
  const isOfDirective = ancestors.some((node) => 'kind' in node && node.kind === Kind.DIRECTIVE_DEFINITION);
  return INPUT_READ_ON.has(owner.kind) && !isOfDirective;
}

/**
 * Refuses a schema whose rules this library would misread: an unknown version, an unknown security feature, an unknown
 * directive of a specification with rules, a rule in a place where none is read, or a protective directive without a linked
 * specification.
 *
 * @throws {DirectiveError} `UNSUPPORTED_SPECIFICATION`, `UNKNOWN_DIRECTIVE`, `INVALID_RULE` or `UNLINKED_DIRECTIVE`
 */
export function checkSpecifications(document: DocumentNode, links: Links): void {
  for (const feature of links.features) checkFeature(feature);
  const isComposed = links.feature(JOIN_IDENTITY) !== undefined;
  visit(document, {
    Directive({ name: { value: name } }, _key, _parent, _path, ancestors) {
      // The older form of @link. No current composition writes it, and its security statements are not read here.
      if (name === 'core')
        throw new DirectiveError('UNSUPPORTED_SPECIFICATION', '@core is not supported, use @link');
      const resolved = links.resolve(name);
      if (resolved === undefined) {
        if (!isProtective(name)) return;
        throw new DirectiveError(
          'UNLINKED_DIRECTIVE',
          `@${name} is applied, but no @link says which specification it belongs to, so it would protect nothing`,
          coordinateOf(ancestors),
        );
      }
      if (isComposed && resolved.feature.identity === BEHALF_IDENTITY && resolved.name === STATED_BY) return;
      const specification = specificationOf(links, name);
      if (specification === undefined) {
        const { identity } = resolved.feature;
        // Federation has many other directives. One with these names was meant as a rule.
        const isMeantAsRule = identity === FEDERATION_IDENTITY && PROTECTIVE_NAMES.has(resolved.name);
        if (!KNOWN_VERSIONS.has(identity) && !isMeantAsRule) {
          if (!isProtective(name)) return;
          throw new DirectiveError(
            'UNLINKED_DIRECTIVE',
            `@${name} is applied, but ${identity} does not state rules that this library reads, so it would protect nothing. If it is meant as something else, import it by another name`,
            coordinateOf(ancestors),
          );
        }
        throw new DirectiveError(
          'UNKNOWN_DIRECTIVE',
          `@${name} is not a directive of ${resolved.feature.name}`,
          coordinateOf(ancestors),
        );
      }
      if (!isReadOn(specification, ancestors)) {
        throw new DirectiveError('INVALID_RULE', `@${name} protects nothing here`, coordinateOf(ancestors));
      }
    },
  });
}

/** By its name in this schema, with or without the prefix of a specification. */
function isProtective(name: string): boolean {
  return PROTECTIVE_NAMES.has(name.includes('__') ? name.slice(name.indexOf('__') + 2) : name);
}

/**
 * Whether an address refers to a specification with rules, but is not spelled like its identity: over `http:`, with a query, in
 * another case, with a slash or more after the version, or misspelt. Its directives would otherwise pass for another
 * specification's.
 */
function isOtherSpelling({ identity, name, imports }: LinkedFeature): boolean {
  if (identity === BEHALF_IDENTITY) return false;
  // Wherever it is, and whatever the rules are called here.
  const importsRules = [...imports.keys()].some((element) => PROTECTIVE_NAMES.has(element.slice(1)));
  if (importsRules && nearest(name.replace(/\d/g, ''), [BEHALF_NAME]) !== undefined) return true;
  const asked = URL.parse(identity);
  if (asked === null) return false;
  const path = `${asked.pathname.toLowerCase().replace(/\/+/g, '/')}/`;
  // Nothing else is published there.
  if (/(?:^|\.)behalf\.dev\.?$/.test(asked.hostname)) return true;
  return [...KNOWN_VERSIONS.keys(), FEDERATION_IDENTITY].some((known) => {
    const { hostname, pathname } = new URL(known);
    const isSamePlace =
      asked.hostname.replace(/\.$/, '') === hostname && path.startsWith(`${pathname.toLowerCase()}/`);
    return isSamePlace && identity !== known;
  });
}

function checkFeature(feature: LinkedFeature): void {
  const known = KNOWN_VERSIONS.get(feature.identity);
  if (known !== undefined && known !== feature.version) {
    throw new DirectiveError(
      'UNSUPPORTED_SPECIFICATION',
      `${feature.identity} is linked in version "${feature.version}"; this library reads ${known}`,
    );
  }
  if (isOtherSpelling(feature)) {
    throw new DirectiveError(
      'UNSUPPORTED_SPECIFICATION',
      `${feature.identity} is linked, which is not how a specification that states rules is written, so its rules would protect nothing`,
    );
  }
  if (ENFORCED_BY_GATEWAY.has(feature.identity)) return;
  if (known === undefined && feature.purpose === 'SECURITY') {
    throw new DirectiveError(
      'UNSUPPORTED_SPECIFICATION',
      `${feature.identity}/${feature.version} is linked for: SECURITY and is not understood`,
    );
  }
  if (feature.identity !== BEHALF_IDENTITY) return;
  const elements = new Set(specifiedDirectives.map((directive) => `@${directive.name}`));
  for (const element of feature.imports.keys()) {
    if (element.startsWith('@') && !elements.has(element)) {
      throw new DirectiveError(
        'UNKNOWN_DIRECTIVE',
        `${element} is imported, but ${feature.identity} has no such directive`,
      );
    }
  }
}
