/**
 * `@statedBy(subgraphs: […])`: the subgraphs that state a rule which only subgraphs enforce. Composition adds it to a
 * supergraph beside `@minimize` and `@subject`, because a supergraph alone does not say who stated its rules. Subgraphs must
 * not use it.
 */
export const STATED_BY = 'statedBy';

/** Names of subgraphs, not of their enum values, which other tools may remove. */
export function statedByDefinition(localName: string): string {
  return `directive @${localName}(subgraphs: [String!]!) on FIELD_DEFINITION | OBJECT`;
}
