import type { FieldAccess } from '@behalf/directives';
import type { AuditedAccess } from '../../audit/record.js';

/**
 * What the subgraphs of one request say that they did: equal entries of several answers are one, so that it cannot grow
 * beyond the schema. It also knows which subgraphs are missing, because a record that is silent must not look complete.
 */
export class AccessAccounts {
  private readonly merged = new Map<string, AuditedAccess>();
  private readonly missing = new Set<string>();
  private readonly dropped = new Map<string, number>();

  /** @param dropped Entries of the same answer that were not believed. */
  add(subgraph: string, accesses: readonly FieldAccess[], dropped: number): void {
    for (const access of accesses) {
      const key = JSON.stringify([subgraph, access.coordinate, access.decision, access.rule]);
      const before = this.merged.get(key)?.count ?? 0;
      this.merged.set(key, { ...access, count: before + access.count, subgraph });
    }
    if (dropped > 0) this.disbelieve(subgraph, dropped);
  }

  /** The subgraph was asked for somebody and gave no account of what it did. */
  miss(subgraph: string): void {
    this.missing.add(subgraph);
  }

  /** It gave one that cannot be read, or cannot be so in these entries. */
  disbelieve(subgraph: string, entries: number): void {
    this.missing.add(subgraph);
    this.dropped.set(subgraph, (this.dropped.get(subgraph) ?? 0) + entries);
  }

  get accesses(): readonly AuditedAccess[] {
    return [...this.merged.values()];
  }

  /** Subgraphs of which the record does not tell all, sorted. */
  get unaccounted(): readonly string[] {
    return [...this.missing].sort();
  }

  /** Subgraphs whose accounts were not believed, and how many of their entries. */
  get disbelieved(): ReadonlyMap<string, number> {
    return this.dropped;
  }
}
