import { readString } from './directive-specification.js';
import type { DirectiveSpecification } from './directive-specification.js';
import { BEHALF_IDENTITY } from './feature.js';

/** A scope with the sentence that a person reads on the consent page. */
export interface ScopeDescription {
  readonly name: string;
  readonly sentence: string;
}

/** `@scope(name: "…", sentence: "…")` on the schema: says in plain words what a scope lets an application do. */
export const scope: DirectiveSpecification<ScopeDescription> = {
  name: 'scope',
  identities: [BEHALF_IDENTITY],
  definition: (name) => `directive @${name}(name: String!, sentence: String!) repeatable on SCHEMA`,
  composed: true,
  read: ({ name, sentence }, coordinate) => ({
    name: readString(name, 'name', coordinate),
    sentence: readString(sentence, 'sentence', coordinate),
  }),
};
