import { MAX_SUBJECTS } from '@behalf/directives/internal';
import type { FieldAccess } from '@behalf/directives/internal';
import type { AuditedAccess } from '@behalf/audit';
import type { Account } from './facts.js';

/**
 * For all facts of one request, as JSON. A sink refuses an oversized record (1 MiB), and a subgraph with many coordinates must
 * not cause that: facts beyond this are rejected.
 */
const MAX_BYTES = 512 * 1024;
/** Per entry, besides its text: a growing count, and the spaces that PostgreSQL writes. */
const SLACK_BYTES = 40;

/**
 * The subgraphs' facts of one request. Equal entries of several responses are merged, so that it cannot grow beyond the schema.
 * It also knows which subgraphs are missing, because an incomplete record must not look complete.
 */
export class AccessAccounts {
  readonly #merged = new Map<string, AuditedAccess>();
  readonly #missing = new Set<string>();
  readonly #dropped = new Map<string, number>();
  readonly #subjects = new Set<string>();
  #hasMoreSubjects = false;
  #bytes = 0;

  /** Adds what a subgraph told about one response. */
  add(subgraph: string, { accesses, dropped, subjects, hasMoreSubjects }: Account): void {
    let tooMany = 0;
    for (const access of accesses) {
      if (!this.#merge({ ...access, subgraph })) tooMany += 1;
    }
    if (dropped + tooMany > 0) this.disbelieve(subgraph, dropped + tooMany);
    if (hasMoreSubjects) this.#hasMoreSubjects = true;
    for (const subject of subjects) {
      if (this.#subjects.size < MAX_SUBJECTS || this.#subjects.has(subject)) this.#subjects.add(subject);
      else this.#hasMoreSubjects = true;
    }
  }

  /** What the gateway itself did to the values of a subgraph. */
  addAtGateway(subgraph: string, accesses: readonly FieldAccess[]): void {
    // An incomplete record must not look complete.
    for (const access of accesses) if (!this.#merge(access)) this.miss(subgraph);
  }

  /** What a subgraph was asked for that did not account for it. Without a count, because nobody knows it. */
  ask(subgraph: string, asked: readonly { readonly coordinate: string; readonly rule?: string }[]): void {
    for (const each of asked) this.#merge({ ...each, decision: 'asked', subgraph });
  }

  /** @returns false if there is no room for another entry */
  #merge(access: AuditedAccess): boolean {
    const key = JSON.stringify([access.subgraph, access.coordinate, access.decision, access.rule]);
    const before = this.#merged.get(key);
    if (before === undefined) {
      const bytes = Buffer.byteLength(JSON.stringify(access)) + SLACK_BYTES;
      if (this.#bytes + bytes > MAX_BYTES) return false;
      this.#bytes += bytes;
    }
    const merged =
      access.decision === 'asked' ? access : { ...access, count: (before?.count ?? 0) + access.count };
    this.#merged.set(key, merged);
    return true;
  }

  /** The subgraph was called for an authenticated caller and returned no facts. */
  miss(subgraph: string): void {
    this.#missing.add(subgraph);
  }

  /** Its facts are unreadable, or impossible in these entries. */
  disbelieve(subgraph: string, entries: number): void {
    this.#missing.add(subgraph);
    this.#dropped.set(subgraph, (this.#dropped.get(subgraph) ?? 0) + entries);
  }

  get accesses(): readonly AuditedAccess[] {
    return [...this.#merged.values()];
  }

  /** The subjects whose rows were read, by their names: never recorded as they are. At most 100. */
  get subjects(): readonly string[] {
    return [...this.#subjects];
  }

  /** Rows of more subjects were read than are known. */
  get hasMoreSubjects(): boolean {
    return this.#hasMoreSubjects;
  }

  /** Subgraphs with incomplete facts, sorted. */
  get unaccounted(): readonly string[] {
    return [...this.#missing].sort();
  }

  /** Subgraphs with rejected facts, and their number of rejected entries. */
  get disbelieved(): ReadonlyMap<string, number> {
    return this.#dropped;
  }
}
