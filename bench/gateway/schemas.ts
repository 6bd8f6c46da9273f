import { readFileSync } from 'node:fs';
import { Links, specificationOf } from '@behalf/directives/internal';
import { Kind, parse, print, visit } from 'graphql';
import type { ConstDirectiveNode, DocumentNode } from 'graphql';
import { projectPath } from '@behalf/example/internal';

export const BENCH_SUBGRAPHS = ['customers', 'accounts', 'payments'] as const;
export type BenchSubgraph = (typeof BENCH_SUBGRAPHS)[number];

/** The example's schema, unchanged. */
export function protectedSdl(name: BenchSubgraph): string {
  return readFileSync(projectPath('subgraphs', 'bank', name, 'schema.graphql'), 'utf8');
}

/** The same schema without the protecting directives, as a team without any protection would run it. */
export function openSdl(name: BenchSubgraph): string {
  const document = parse(protectedSdl(name));
  const links = new Links(document);
  return print(
    visit<DocumentNode>(document, {
      Directive(node) {
        if (specificationOf(links, node.name.value) !== undefined) return null;
        return isBehalfLink(node as ConstDirectiveNode) ? null : undefined;
      },
    }),
  );
}

function isBehalfLink(node: ConstDirectiveNode): boolean {
  return (
    node.name.value === 'link' &&
    (node.arguments ?? []).some(
      ({ name, value }) =>
        name.value === 'url' && value.kind === Kind.STRING && value.value.includes('specs.behalf.dev'),
    )
  );
}
