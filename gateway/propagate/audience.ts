import type { SubgraphVocabulary } from '../authorize/index.js';

/** The most that a transaction token for one audience may contain. */
export interface AudienceVocabulary extends SubgraphVocabulary {
  /** A schema does not show which roles a subgraph's code needs, so the configuration names them. */
  readonly roles: ReadonlySet<string>;
}

/** Names that an audience gets beyond what its schema requires. */
export interface NamedVocabulary {
  readonly scopes?: readonly string[];
  readonly policies?: readonly string[];
  readonly purposes?: readonly string[];
  readonly roles?: readonly string[];
}

/** The union of the parts. */
export function audienceVocabulary(
  schema: SubgraphVocabulary | undefined,
  ...named: readonly (NamedVocabulary | undefined)[]
): AudienceVocabulary {
  const all = (from: ReadonlySet<string> | undefined, key: keyof NamedVocabulary): ReadonlySet<string> =>
    new Set([...(from ?? []), ...named.flatMap((part) => part?.[key] ?? [])]);
  return {
    scopes: all(schema?.scopes, 'scopes'),
    policies: all(schema?.policies, 'policies'),
    purposes: all(schema?.purposes, 'purposes'),
    roles: all(undefined, 'roles'),
    isKeyedByPurposes: schema?.isKeyedByPurposes === true,
  };
}
