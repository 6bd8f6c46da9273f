import type { FieldAccess } from '@behalf/directives/internal';
import type { AuditedAccess } from '@behalf/audit';

/**
 * Of all accounts of one request, as JSON. A sink refuses a record that is too large (1 MiB), and a subgraph with many
 * coordinates must not make it so: what it claims beyond this is not believed.
 */
const MAX_BYTES = 512 * 1024;
/** Beside the text of an entry: a count that grows, and the spaces that PostgreSQL writes. */
const SLACK_BYTES = 40;

/**
 * What the subgraphs of one request say that they did: equal entries of several answers are one, so that it cannot grow
 * beyond the schema. It also knows which subgraphs are missing, because a record that is silent must not look complete.
 */
export class AccessAccounts {
  readonly #merged = new Map<string, AuditedAccess>();
  readonly #missing = new Set<string>();
  readonly #dropped = new Map<string, number>();
  #bytes = 0;

  /** @param dropped Entries of the same answer that were not believed. */
  add(subgraph: string, accesses: readonly FieldAccess[], dropped: number): void {
    let tooMany = 0;
    for (const access of accesses) {
      if (!this.#merge({ ...access, subgraph })) tooMany += 1;
    }
    if (dropped + tooMany > 0) this.disbelieve(subgraph, dropped + tooMany);
  }

  /** @returns false where there is no room for another entry */
  #merge(access: AuditedAccess): boolean {
    const key = JSON.stringify([access.subgraph, access.coordinate, access.decision, access.rule]);
    const before = this.#merged.get(key);
    if (before === undefined) {
      const bytes = Buffer.byteLength(JSON.stringify(access)) + SLACK_BYTES;
      if (this.#bytes + bytes > MAX_BYTES) return false;
      this.#bytes += bytes;
    }
    this.#merged.set(key, { ...access, count: (before?.count ?? 0) + access.count });
    return true;
  }

  /** The subgraph was asked for somebody and gave no account of what it did. */
  miss(subgraph: string): void {
    this.#missing.add(subgraph);
  }

  /** It gave one that cannot be read, or cannot be so in these entries. */
  disbelieve(subgraph: string, entries: number): void {
    this.#missing.add(subgraph);
    this.#dropped.set(subgraph, (this.#dropped.get(subgraph) ?? 0) + entries);
  }

  get accesses(): readonly AuditedAccess[] {
    return [...this.#merged.values()];
  }

  /** Subgraphs of which the record does not tell all, sorted. */
  get unaccounted(): readonly string[] {
    return [...this.#missing].sort();
  }

  /** Subgraphs whose accounts were not believed, and how many of their entries. */
  get disbelieved(): ReadonlyMap<string, number> {
    return this.#dropped;
  }
}
