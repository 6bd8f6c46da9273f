import type { Context } from '@opentelemetry/api';
import type { Clock } from '../clock.js';
import type { Delegation } from '../claims/delegation.js';
import type { TxnTokenExchange } from '../claims/exchange-txn-token.js';
import type { TxnTokenRefusal } from '../claims/txn-token-refusals.js';
import { TXN_TOKEN_CLOCK_TOLERANCE_SECONDS } from '../claims/read-txn-token.js';
import { filterRefusal } from '../decide/filter-gate.js';
import type { FilterGate, FilterRefusal } from '../decide/filter-gate.js';
import { statementInForce } from '../decide/minimization.js';
import type { Minimization } from '../decide/minimization.js';
import { isMet, isExemptFromSubject } from '../decide/requirement.js';
import type { Requirement } from '../decide/requirement.js';
import type { Pseudonyms } from '../minimize/pseudonyms.js';
import type { Alternatives } from '../specification/read-arguments.js';
import { AccessRecorder } from '../record/recorder.js';
import type { RecordedField } from '../record/recorder.js';
import { subjectOf } from './row-owner.js';
import type { RowOwner } from './row-owner.js';

/** The key of a request's state in the context value. A symbol, so that spreading a context keeps it. */
export const REQUEST_STATE: unique symbol = Symbol('behalf.requestState');

/** The library's part of a resolver's context value. */
export interface ProtectedContext {
  /** The verified delegation; undefined for an anonymous caller. */
  readonly delegation: Delegation | undefined;
  readonly transactionId: string | undefined;
  readonly [REQUEST_STATE]: RequestState;
}

/** The caller, as far as their transaction token was accepted. */
export interface Caller {
  readonly delegation?: Delegation;
  readonly transactionId?: string;
  /** When the token and its consent end, milliseconds since the epoch. Absent: nothing ends. */
  readonly endsAtMs?: number;
  /** Hash of the one request that the token is for. */
  readonly boundTo?: string | undefined;
  /** The token itself, for exchange. Only if it was accepted. */
  readonly txnToken?: string | undefined;
  /** Why the token was refused, or that the request had none. Absent if it was accepted, or there was no request. */
  readonly refusedToken?: TxnTokenRefusal;
  /** Exchanges it; absent if the subgraph passes nothing on. */
  readonly exchange?: TxnTokenExchange | undefined;
}

/** The compiled rules of one schema; decisions are kept by index. */
export interface CompiledProtection {
  readonly requirements: readonly Requirement[];
  /** What `@minimize` says about each field that has it. */
  readonly minimizations: readonly Minimization[];
  /** Of {@link RowOwner}. */
  readonly rowExemptions: readonly Alternatives[];
  readonly fields: readonly RecordedField[];
  /** By coordinate of the subgraph's own schema, without federation's fields. */
  readonly plans: ReadonlyMap<string, FieldDecisions>;
  /** False in shadow, where nothing is denied or minimized. */
  readonly isEnforced: boolean;
  /** By coordinate, of the fields that have them. */
  readonly pseudonyms: ReadonlyMap<string, PseudonymizedField>;
  readonly clock: Clock;
}

/** What is decided about one field of a request, by its indexes. */
export interface FieldDecisions {
  readonly requirementIndex: number;
  readonly minimization: { readonly index: number } | undefined;
  /** Whose the row is that the field is read from. */
  readonly rowOwner: RowOwner | undefined;
}

/** A field with pseudonyms, and the statement of its minimization that gives them. */
export interface PseudonymizedField {
  readonly pseudonyms: Pseudonyms;
  readonly minimizationIndex: number;
  readonly statementIndex: number;
}

const UNDECIDED = 0;
const YES = 1;
const NO = 2;
/** The statement of a minimization with the index 0; the next ones follow. `YES` is the whole value. */
const FIRST_STATEMENT = 2;
/** A token is accepted for this long after its end, so operations that begin with it must be answered for as long. */
const TOLERANCE_MS = TXN_TOKEN_CLOCK_TOLERANCE_SECONDS * 1_000;

/** Decisions of one request in one subgraph: each distinct requirement is decided once. */
export class RequestState {
  readonly recorder: AccessRecorder;
  /** Requested tokens for other audiences, by audience. */
  readonly passedOn = new Map<string, Promise<string>>();
  /** Aborts when the delegation is revoked. Set when a subscription begins; other operations end within moments. */
  revoked: AbortSignal | undefined;
  /** Milliseconds since the epoch; Infinity if nothing can end. */
  readonly endsAtMs: number;
  #current: Delegation | undefined;
  readonly #decisions: Uint8Array;
  readonly #statements: Uint8Array;
  readonly #everyRow: Uint8Array;
  readonly #filters = new Map<FilterGate, FilterRefusal | undefined>();
  /** Operations that began in time, by an object that graphql-js creates per execution. */
  readonly #begun = new WeakSet<object>();

  constructor(
    readonly caller: Caller,
    /** The gateway's span. */
    readonly parent: Context,
    readonly compiled: CompiledProtection,
  ) {
    this.#current = caller.delegation;
    this.endsAtMs = caller.endsAtMs ?? Infinity;
    this.recorder = new AccessRecorder(compiled.fields, compiled.clock);
    this.#decisions = new Uint8Array(compiled.requirements.length);
    this.#statements = new Uint8Array(compiled.minimizations.length);
    this.#everyRow = new Uint8Array(compiled.rowExemptions.length);
  }

  /** The delegation that decides. Undefined for an anonymous caller, and after the delegation's end. */
  get delegation(): Delegation | undefined {
    return this.#current;
  }

  /** Whether the caller's delegation has ended, by the clock or by revocation. From then on the caller counts as anonymous. */
  hasEnded(nowMs: number): boolean {
    if (this.caller.delegation === undefined) return false;
    if (nowMs >= this.endsAtMs || this.revoked?.aborted === true) this.#end();
    return this.#current === undefined;
  }

  #end(): void {
    this.#current = undefined;
    this.#decisions.fill(UNDECIDED);
    this.#statements.fill(UNDECIDED);
    this.#everyRow.fill(UNDECIDED);
    this.#filters.clear();
  }

  /**
   * Called at each root field. An operation that begins after the delegation's end gets nothing, even if a context value is
   * kept longer than one request; one that began in time is completed.
   */
  begin(execution: object, nowMs: number): void {
    if (this.#begun.has(execution)) return;
    if (nowMs >= this.endsAtMs + TOLERANCE_MS) this.#end();
    else this.#begun.add(execution);
  }

  /** Whether the requirement with this index is met. An unknown index is not. */
  permits(index: number): boolean {
    let decision = this.#decisions[index] ?? NO;
    if (decision === UNDECIDED) {
      const requirement = this.compiled.requirements[index];
      decision = requirement !== undefined && isMet(requirement, this.#current) ? YES : NO;
      this.#decisions[index] = decision;
    }
    return decision === YES;
  }

  /**
   * The index of the statement of `@minimize` that applies to the caller: see {@link statementInForce}. It throws for an unknown
   * minimization, which must not pass for a whole value.
   *
   * @returns undefined: the caller gets the whole value
   */
  statementOf(index: number): number | undefined {
    let decision = this.#statements[index] ?? UNDECIDED;
    if (decision === UNDECIDED) {
      const minimization = this.compiled.minimizations[index];
      if (minimization === undefined) throw new Error('a field is minimized by a rule that was not compiled');
      const statement = statementInForce(minimization, this.#current);
      decision = statement === undefined ? YES : FIRST_STATEMENT + minimization.statements.indexOf(statement);
      this.#statements[index] = decision;
    }
    return decision === YES ? undefined : decision - FIRST_STATEMENT;
  }

  /** Why the argument, input field or enum value with this condition may not be used; undefined if it may. */
  filterRefusal(gate: FilterGate): FilterRefusal | undefined {
    if (!this.#filters.has(gate)) this.#filters.set(gate, filterRefusal(gate, this.#current));
    return this.#filters.get(gate);
  }

  /**
   * Whether the caller may read a row: it belongs to the delegation's subject, or the delegation reads every subject's. A row
   * without an owner belongs to nobody, and none belongs to a service.
   */
  mayRead(row: unknown, { property, exemptionIndex }: RowOwner): boolean {
    const subject = subjectOf(row, property);
    if (subject === undefined) return false;
    return this.#owns(subject) || this.#readsEveryRow(exemptionIndex);
  }

  /** {@link mayRead}, for a field of the row: if so, the record says whose row was read. */
  reads(row: unknown, owner: RowOwner): boolean {
    if (!this.mayRead(row, owner)) return false;
    this.noteRow(row, owner);
    return true;
  }

  /** Records whose row is read. */
  noteRow(row: unknown, { property }: RowOwner): void {
    const subject = subjectOf(row, property);
    if (subject !== undefined) this.recorder.readRowOf(subject);
  }

  /** Whose a row is. Without an owner it is the caller's own; a service acts for nobody. */
  personBehind(row: unknown, owner: RowOwner | undefined): string | undefined {
    if (owner !== undefined) return subjectOf(row, owner.property);
    const delegation = this.#current;
    return delegation?.service === true ? undefined : delegation?.subject;
  }

  #owns(subject: string): boolean {
    const delegation = this.#current;
    if (delegation === undefined || delegation.service === true) return false;
    return subject === delegation.subject;
  }

  #readsEveryRow(index: number): boolean {
    let decision = this.#everyRow[index] ?? NO;
    if (decision === UNDECIDED) {
      const unless = this.compiled.rowExemptions[index];
      const every = unless !== undefined && isExemptFromSubject(unless, this.#current);
      decision = every ? YES : NO;
      this.#everyRow[index] = decision;
    }
    return decision === YES;
  }
}

/** The state in a context value that `protectedContext` made. */
export function requestStateOf(contextValue: unknown): RequestState | undefined {
  if (typeof contextValue !== 'object' || contextValue === null) return undefined;
  return (contextValue as Partial<ProtectedContext>)[REQUEST_STATE];
}
