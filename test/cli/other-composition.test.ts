import { composeServices } from '@theguild/federation-composition';
import { completeSubgraph, lowerRequiresScope, RuleTable } from '@behalf/directives/internal';
import { parse } from 'graphql';
import { expect, it } from 'vitest';
import { composeSupergraph } from '../../gateway/compose/compose.js';
import { readSupergraphConfig } from '../../gateway/compose/supergraph-config.js';
import type { SubgraphSource } from '../../gateway/compose/supergraph-config.js';
import { createOperationAuthorizer } from '../../gateway/authorize/index.js';

function composeElsewhere(sources: readonly SubgraphSource[]): string {
  const { errors, supergraphSdl } = composeServices(
    sources.map(({ name, url, sdl }) => ({
      name,
      url,
      typeDefs: lowerRequiresScope(completeSubgraph(parse(sdl))),
    })),
  );
  expect(errors ?? []).toEqual([]);
  if (supergraphSdl === undefined) throw new Error('no supergraph');
  return supergraphSdl;
}

it('another composer keeps the example’s scopes as the standard directive', async () => {
  const sources = await readSupergraphConfig('supergraph.yaml');
  const supergraphSdl = composeElsewhere(sources);
  expect(supergraphSdl).not.toMatch(/@requiresScope\(/);

  // The requirements of each field are the same, whichever tool composed it.
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

it('without a record, @subject loads from one subgraph, not several', async () => {
  const sources = await readSupergraphConfig('supergraph.yaml');
  const alone = composeElsewhere(sources.filter(({ name }) => name === 'customers'));
  expect(() => createOperationAuthorizer(alone)).not.toThrow();
  expect(() => createOperationAuthorizer(composeElsewhere(sources))).toThrow(
    /STATEMENTS_UNRECORDED: Customer: .*STATEMENTS_UNRECORDED: Account: /,
  );
  expect(() => createOperationAuthorizer(composeSupergraph(sources))).not.toThrow();
});
