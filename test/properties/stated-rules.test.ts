import { buildSubgraphSchema } from '@apollo/subgraph';
import { completeSubgraph, RuleTable } from '@behalf/directives/internal';
import fc from 'fast-check';
import { parse } from 'graphql';
import { expect, it } from 'vitest';
import { ComposeError } from '../../gateway/compose/errors.js';
import { composeSupergraph } from '../../gateway/compose/compose.js';
import { createOperationAuthorizer } from '../../gateway/authorize/index.js';
import { Choices } from './federation/choices.js';
import { selectionsOf } from './federation/asked.js';
import { RealGateway } from './federation/real-gateway.js';
import { clientOperation } from './oracle.js';
import { RUNS } from './runs.js';

const SEED = Number(process.env.BEHALF_PROPERTY_SEED ?? 20_261_124);
const FIELDS = ['a', 'b', 'c'];
const LINKS = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@external", "@provides", "@override"])
  @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@minimize", "@subject"])`;

/** Subgraphs with an entity `T` and a value `V`, each with some of their fields and rules. */
function drawSubgraphs(choices: Choices): { name: string; url: string; sdl: string }[] {
  const graphs = ['one', 'two', 'three'].slice(0, 2 + choices.below(2));
  // Most agree, or next to nothing would compose.
  const minimized = new Map(FIELDS.map((field) => [field, choices.oneIn(2)]));
  const isOwned = choices.oneIn(2);
  const overriding = choices.oneIn(3) ? choices.of(FIELDS) : undefined;
  return graphs.map((name, index) => {
    const provided: string[] = [];
    const statement = (field: string): string => {
      const states = minimized.get(field) === true && !choices.oneIn(10);
      return states ? `@minimize(to: MASK, showLength: true, last: ${choices.oneIn(15) ? 3 : 2})` : '';
    };
    const fields = FIELDS.flatMap((field) => {
      const isOverriding = index === 1 && field === overriding;
      if (isOverriding) {
        const label = choices.oneIn(2) ? ', label: "percent(50)"' : '';
        return [`${field}: String @override(from: "one"${label}) ${statement(field)}`];
      }
      if (field === overriding) return index === 0 ? [`${field}: String ${statement(field)}`] : [];
      const isHome = index === FIELDS.indexOf(field) % graphs.length;
      if (isHome || choices.oneIn(4)) return [`${field}: String @shareable ${statement(field)}`];
      if (!choices.oneIn(2)) return [];
      provided.push(field);
      return [`${field}: String @external ${statement(field)}`];
    });
    const provides = provided.length === 0 ? '' : `@provides(fields: "${provided.join(' ')}")`;
    const unless = choices.oneIn(10) ? ', unless: [["all"]]' : '';
    const subject = isOwned && !choices.oneIn(10) ? `@subject(field: "id"${unless})` : '';
    const value = choices.oneIn(3) ? '' : `type V @shareable { x: String ${statement('a')} }`;
    const returning = value === '' ? '' : `${name}V: V`;
    return {
      name,
      url: `http://${name}`,
      sdl: `${LINKS}
        type Query { ${name}: T ${provides} ${returning} }
        type T @key(fields: "id") ${subject} { id: ID! ${fields.join(' ')} }
        ${value}`,
    };
  });
}

const seen = { refused: 0, composed: 0, minimized: 0, owned: 0 };

it('subgraphs compose only if every one that may answer states the rule', { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      const subgraphs = drawSubgraphs(Choices.seeded(seed));
      const told = subgraphs.map(({ sdl }) => sdl).join('\n');
      let supergraph: string;
      try {
        supergraph = composeSupergraph(subgraphs);
      } catch (error) {
        if (!(error instanceof ComposeError)) throw error;
        seen.refused += 1;
        return;
      }
      seen.composed += 1;
      const authorizer = createOperationAuthorizer(supergraph);
      const gateway = await RealGateway.load(authorizer.executableSdl);
      const composed = new RuleTable(parse(supergraph), { coverage: 'open' });
      const written = new Map(
        subgraphs.map(({ name, sdl }) => {
          const document = completeSubgraph(parse(sdl));
          const rules = new RuleTable(document, { coverage: 'open' });
          return [name, { rules, schema: buildSubgraphSchema(document) }] as const;
        }),
      );
      for (const source of questions(gateway)) {
        const { plan } = await gateway.run(clientOperation(parse(source), source), {}, () => ({
          data: null,
        }));
        expect(plan.length).toBeGreaterThan(0);
        for (const { graph, operation } of plan) {
          const asked = written.get(graph);
          if (asked === undefined) throw new Error(`no subgraph ${graph}`);
          for (const { type, name: field } of selectionsOf(asked.schema, operation)) {
            const wanted = composed.field(type, field)?.minimization;
            expect(
              asked.rules.field(type, field)?.minimization,
              `${source}\n${graph}: ${operation}\n${told}`,
            ).toEqual(wanted);
            if (wanted !== undefined) seen.minimized += 1;
            if (field === 'id' || field === '__typename') continue;
            const subject = composed.type(type)?.subject;
            expect(asked.rules.type(type)?.subject, `${source}\n${graph}: ${operation}\n${told}`).toEqual(
              subject,
            );
            if (subject !== undefined) seen.owned += 1;
          }
        }
      }
    }),
    { numRuns: 100 * RUNS, seed: SEED },
  );
  expect(seen.composed).toBeGreaterThan(20 * RUNS);
  expect(seen.refused).toBeGreaterThan(20 * RUNS);
  expect(seen.minimized).toBeGreaterThan(20 * RUNS);
  expect(seen.owned).toBeGreaterThan(20 * RUNS);
});

/** Every field from every root, together and separately. */
function questions({ apiSchema }: RealGateway): readonly string[] {
  const fieldsOf = (type: string): string[] => {
    const found = apiSchema.getType(type);
    return found !== undefined && 'getFields' in found ? Object.keys(found.getFields()) : [];
  };
  return fieldsOf('Query').flatMap((root) => {
    const fields = fieldsOf(root.endsWith('V') ? 'V' : 'T');
    return [fields.join(' '), ...fields].map((selection) => `{ ${root} { ${selection} } }`);
  });
}
