import type { AuditDatabase } from '@behalf/audit/postgres';
import { CompiledQuery } from 'kysely';
import type { Kysely, KyselyPlugin, QueryId, RootOperationNode } from 'kysely';

/** What a query touched, by EXPLAIN (ANALYZE, BUFFERS). */
export interface Touched {
  /** Rows that scans read: returned by them, or read and dropped. */
  readonly rows: number;
  /** Pages of 8 kB, each time that one is used. */
  readonly buffers: number;
}

/** A node of a plan in JSON; only what is read here. */
interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly Plans?: readonly PlanNode[];
}

/** Explains every query that the work makes. @returns the sum of what they touched */
export async function touchedBy(
  db: Kysely<AuditDatabase>,
  work: (db: Kysely<AuditDatabase>) => Promise<unknown>,
): Promise<Touched> {
  const nodes: [RootOperationNode, QueryId][] = [];
  const capture: KyselyPlugin = {
    transformQuery({ node, queryId }) {
      nodes.push([node, queryId]);
      return node;
    },
    transformResult: ({ result }) => Promise.resolve(result),
  };
  await work(db.withPlugin(capture));
  let [rows, buffers] = [0, 0];
  for (const [node, queryId] of nodes) {
    const { parameters, sql } = db.getExecutor().compileQuery(node, queryId);
    const explain = CompiledQuery.raw(`explain (analyze, buffers, format json) ${sql}`, [...parameters]);
    const answer = await db.executeQuery<{ 'QUERY PLAN': readonly [{ readonly Plan: PlanNode }] }>(explain);
    const plan = answer.rows[0]?.['QUERY PLAN'][0].Plan;
    if (plan === undefined) throw new Error('PostgreSQL explained nothing');
    rows += rowsOf(plan);
    buffers += plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
  }
  return { rows: Math.round(rows), buffers };
}

function rowsOf(node: PlanNode): number {
  const below = (node.Plans ?? []).reduce((sum, child) => sum + rowsOf(child), 0);
  if (!node['Node Type'].endsWith('Scan') || node['Node Type'] === 'Subquery Scan') return below;
  // The rows that an index names for a bitmap are counted where they are read.
  if (node['Node Type'] === 'Bitmap Index Scan') return below;
  const dropped = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
  return below + (node['Actual Rows'] + dropped) * node['Actual Loops'];
}
