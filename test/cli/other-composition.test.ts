import { composeServices } from '@theguild/federation-composition';
import { completeSubgraph, lowerRequiresScope, RuleTable } from '@behalf/directives';
import { parse } from 'graphql';
import { expect, it } from 'vitest';
import { composeSupergraph, readSupergraphConfig } from '../../cli/compose.js';

it('the example composes under another router’s rules, and its scopes are the standard directive there too', async () => {
  const sources = await readSupergraphConfig('supergraph.yaml');
  const theirs = composeServices(
    sources.map(({ name, url, sdl }) => ({
      name,
      url,
      typeDefs: lowerRequiresScope(completeSubgraph(parse(sdl))),
    })),
  );
  expect(theirs.errors ?? []).toEqual([]);
  const { supergraphSdl } = theirs;
  if (supergraphSdl === undefined) throw new Error('no supergraph');
  expect(supergraphSdl).not.toMatch(/@requiresScope\(/);

  // What is asked for field by field is the same, whoever composed it.
  const other = new RuleTable(parse(supergraphSdl), { coverage: 'open' });
  const ours = new RuleTable(parse(composeSupergraph(sources)), { coverage: 'open' });
  let compared = 0;
  for (const type of ours.allTypes()) {
    if (type.kind !== 'object') continue;
    for (const field of type.fields.keys()) {
      const sets = (table: RuleTable): string =>
        JSON.stringify(
          table.requirementOf(type.name, field).scopes.map((entry) => entry.map((all) => [...all].sort())),
        );
      expect(sets(other), `${type.name}.${field}`).toBe(sets(ours));
      if (ours.requirementOf(type.name, field).scopes.length > 0) compared += 1;
    }
  }
  expect(compared).toBeGreaterThan(20);
});
