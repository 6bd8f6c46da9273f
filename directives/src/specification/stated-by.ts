/**
 * `@statedBy(subgraphs: […])`: which subgraphs state a rule that only subgraphs enforce. Composition writes it into a
 * supergraph beside `@minimize` and `@subject`, because a supergraph alone does not tell who stated what it says. No
 * subgraph may write it.
 */
export const STATED_BY = 'statedBy';

/** Names are those of the subgraphs, not of their enumeration, which other tools may take out. */
export function statedByDefinition(localName: string): string {
  return `directive @${localName}(subgraphs: [String!]!) on FIELD_DEFINITION | OBJECT`;
}
