import { Kind, valueFromASTUntyped } from 'graphql';
import type { ConstDirectiveNode, DocumentNode } from 'graphql';
import { DirectiveError } from '../errors.js';
import { LINK_IDENTITY, parseFeatureUrl } from './feature.js';
import type { FeatureUrl } from './feature.js';

/** One `@link` of a schema, with its elements' names there. */
export interface LinkedFeature extends FeatureUrl {
  /** Prefix of elements that are not imported (`as`, or the feature's own name). */
  readonly namespace: string;
  /** `for: SECURITY` or `for: EXECUTION`: a schema with an unknown feature of this kind must not be loaded. */
  readonly purpose: string | undefined;
  /** Element name in the specification → name in this schema. Directives keep their `@`. */
  readonly imports: ReadonlyMap<string, string>;
  /** The application itself, for rewriting it. */
  readonly node: ConstDirectiveNode;
}

/** A directive's name in the schema, resolved to its specification. */
export interface ResolvedDirective {
  readonly feature: LinkedFeature;
  /** Name in the specification, without `@`. */
  readonly name: string;
}

/**
 * Reads the `@link` applications of a schema, so that directives are identified by their specification, never by their name in
 * the schema (CVE-2025-64347).
 *
 * @throws {DirectiveError} `INVALID_RULE` for an unreadable link
 */
export class Links {
  readonly features: readonly LinkedFeature[];
  readonly #byLocalName = new Map<string, ResolvedDirective>();

  constructor(document: DocumentNode) {
    const applied = document.definitions.flatMap((definition) =>
      definition.kind === Kind.SCHEMA_DEFINITION || definition.kind === Kind.SCHEMA_EXTENSION
        ? (definition.directives ?? [])
        : [],
    );
    const linkName = nameOfLinkItself(applied);
    this.features = applied.filter((node) => node.name.value === linkName).map(readLink);
    for (const feature of this.features) {
      for (const [element, local] of feature.imports) {
        if (element.startsWith('@'))
          this.#byLocalName.set(local.slice(1), { feature, name: element.slice(1) });
      }
    }
  }

  /** The feature with this identity, if the schema links it. */
  feature(identity: string): LinkedFeature | undefined {
    return this.features.find((feature) => feature.identity === identity);
  }

  /** The specification's directive behind a name here: imported, prefixed, or the feature's own name. */
  resolve(localName: string): ResolvedDirective | undefined {
    const imported = this.#byLocalName.get(localName);
    if (imported !== undefined) return imported;
    for (const feature of this.features) {
      if (localName === feature.namespace) return { feature, name: feature.name };
      if (localName.startsWith(`${feature.namespace}__`)) {
        return { feature, name: localName.slice(feature.namespace.length + 2) };
      }
    }
    return undefined;
  }

  /** The name of a linked feature's directive in this schema, without `@`. */
  localName(feature: LinkedFeature, name: string): string {
    const imported = feature.imports.get(`@${name}`);
    if (imported !== undefined) return imported.slice(1);
    return name === feature.name ? feature.namespace : `${feature.namespace}__${name}`;
  }
}

/** `@link` itself may be renamed by its own link (`as`). */
function nameOfLinkItself(applied: readonly ConstDirectiveNode[]): string {
  for (const node of applied) {
    const { url, as } = argumentsOf(node);
    if (typeof url !== 'string' || parseFeatureUrl(url).identity !== LINK_IDENTITY) continue;
    if (node.name.value === (typeof as === 'string' ? as : 'link')) return node.name.value;
  }
  return 'link';
}

function readLink(node: ConstDirectiveNode): LinkedFeature {
  const { url, as, for: purpose, import: imports } = argumentsOf(node);
  if (typeof url !== 'string') throw new DirectiveError('INVALID_RULE', '@link without a url');
  const parsed = parseFeatureUrl(url);
  return {
    ...parsed,
    namespace: typeof as === 'string' ? as : parsed.name,
    purpose: typeof purpose === 'string' ? purpose : undefined,
    imports: readImports(url, imports),
    node,
  };
}

function readImports(url: string, imports: unknown): Map<string, string> {
  const names = new Map<string, string>();
  if (imports === undefined || imports === null) return names;
  if (!Array.isArray(imports))
    throw new DirectiveError('INVALID_RULE', `@link(url: "${url}"): import is not a list`);
  for (const element of imports as unknown[]) {
    if (typeof element === 'string') {
      names.set(element, element);
      continue;
    }
    const { name, as } = (typeof element === 'object' && element !== null ? element : {}) as Record<
      string,
      unknown
    >;
    if (typeof name !== 'string' || (as !== undefined && typeof as !== 'string')) {
      throw new DirectiveError(
        'INVALID_RULE',
        `@link(url: "${url}"): an import is neither a name nor {name, as}`,
      );
    }
    if (as !== undefined && as.startsWith('@') !== name.startsWith('@')) {
      throw new DirectiveError('INVALID_RULE', `@link(url: "${url}"): "${name}" is imported as "${as}"`);
    }
    names.set(name, as ?? name);
  }
  return names;
}

/** The arguments of an application as plain values. */
export function argumentsOf(node: ConstDirectiveNode): Record<string, unknown> {
  return Object.fromEntries(
    (node.arguments ?? []).map((argument) => [argument.name.value, valueFromASTUntyped(argument.value)]),
  );
}
