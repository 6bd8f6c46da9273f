import { expect, post } from './drill.js';
import type { Drill } from './drill.js';

const ENTITY = `{ _entities(representations: [{ __typename: "Customer", id: "c-000001" }]) {
  ... on Customer { name email taxId } } }`;

/** An attacker reaches a subgraph directly, past the network's rules. */
export const subgraphReached: Drill = {
  name: 'subgraph-reached',
  breach: 'The customers subgraph can be reached past the gateway.',
  async run(system, report) {
    const attempts: readonly (readonly [string, Record<string, string>])[] = [
      ['without any token', {}],
      [
        'with identity headers as other stacks trust them',
        { 'x-user-id': 'c-000001', 'x-scopes': 'profile:read' },
      ],
    ];
    for (const [how, headers] of attempts) {
      report.tried(`_entities for Alma, ${how}`);
      const answer = await post(system.subgraphUrls.customers, ENTITY, headers);
      const told = JSON.stringify(answer.data);
      expect(!told.includes('Alma') && !told.includes('@'), 'the subgraph gave nothing away');
      expect(answer.codes.includes('UNAUTHORIZED_FIELD_OR_TYPE'), 'the caller was denied');
    }
    report.stopped(
      'every rule is decided again at the field, also through _entities, from a signed token alone',
    );
  },
};
