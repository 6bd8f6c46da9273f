import { RuleTable } from '@behalf/directives/internal';
import { parse } from 'graphql';
import { vocabularyOf } from '@behalf/policy';

/** A policy in which every client may ask for everything, and whose rate limits count but never refuse. */
export function benchPolicy(supergraphSdl: string): string {
  const words = vocabularyOf(new RuleTable(parse(supergraphSdl), { coverage: 'required' }));
  const scopes = [...words.scopes.keys()];
  const purposes = [...words.purposes.keys()];
  const scope = { sentence: 'Of the benchmark', access: 'read', sensitivity: 'low' };
  return JSON.stringify({
    scopes: Object.fromEntries(scopes.map((name) => [name, scope])),
    purposes: Object.fromEntries(purposes.map((name) => [name, { sentence: scope.sentence }])),
    clients: { '*': { scopes, purposes, rateClass: 'counted' } },
    rateClasses: { counted: { requests: 1_000_000_000, per: 'PT1M' } },
  });
}
