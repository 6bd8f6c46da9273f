import type { SubgraphVocabulary } from '../authorize/index.js';

/** Everything that a transaction token for one audience may say at most. */
export interface AudienceVocabulary extends SubgraphVocabulary {
  /** Rules in code ask for roles, and what they ask for cannot be read from a schema: the configuration names them. */
  readonly roles: ReadonlySet<string>;
}

/** Names that an audience is told of beyond what its schema asks for. */
export interface NamedVocabulary {
  readonly scopes?: readonly string[];
  readonly policies?: readonly string[];
  readonly purposes?: readonly string[];
  readonly roles?: readonly string[];
}

/** What any of the parts lets it say. */
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
  };
}
