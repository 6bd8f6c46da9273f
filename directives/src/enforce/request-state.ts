import type { Context } from '@opentelemetry/api';
import type { Delegation } from '../claims/delegation.js';
import type { TxnTokenExchange } from '../claims/exchange-txn-token.js';
import type { TxnTokenRefusal } from '../claims/txn-token-refusals.js';
import { isMet, seesWhole } from '../decide/requirement.js';
import type { Requirement } from '../decide/requirement.js';
import type { Alternatives } from '../specification/directive-specification.js';
import { AccessRecorder } from '../record/recorder.js';
import type { RecordedField } from '../record/recorder.js';

/** Where a request's state stands in the context value. A symbol, so that spreading a context keeps it. */
export const REQUEST_STATE: unique symbol = Symbol('behalf.requestState');

/** What resolvers find in their context value. */
export interface ProtectedContext {
  /** The verified delegation; undefined for a caller who showed none. */
  readonly delegation: Delegation | undefined;
  readonly transactionId: string | undefined;
  readonly [REQUEST_STATE]: RequestState;
}

/** Who asks, as far as his transaction token was believed. */
export interface Caller {
  readonly delegation?: Delegation;
  readonly transactionId?: string;
  readonly refusal?: TxnTokenRefusal;
  /** Hash of the one request that the token is good for. */
  readonly boundTo?: string;
  /** The token itself, to be exchanged for one that another service accepts. Only where it was believed. */
  readonly txnToken?: string;
  /** Where it is exchanged; absent where the subgraph passes nothing on. */
  readonly exchange?: TxnTokenExchange;
}

/** What the rules of one schema compile to; decisions are kept by index. */
export interface CompiledProtection {
  readonly requirements: readonly Requirement[];
  readonly exemptions: readonly Alternatives[];
  readonly fields: readonly RecordedField[];
}

const UNDECIDED = 0;
const YES = 1;
const NO = 2;

/** Decisions of one request in one subgraph: each distinct requirement is decided once. */
export class RequestState {
  readonly delegation: Delegation | undefined;
  readonly recorder: AccessRecorder;
  /** Tokens for other audiences that were asked for, by audience. */
  readonly passedOn = new Map<string, Promise<string>>();
  private readonly decisions: Uint8Array;
  private readonly wholeValue: Uint8Array;

  constructor(
    readonly caller: Caller,
    /** The gateway's span. */
    readonly parent: Context,
    readonly compiled: CompiledProtection,
  ) {
    this.delegation = caller.delegation;
    this.recorder = new AccessRecorder(compiled.fields);
    this.decisions = new Uint8Array(compiled.requirements.length);
    this.wholeValue = new Uint8Array(compiled.exemptions.length);
  }

  /** Whether the requirement with this index is met. An index that is unknown is not. */
  permits(index: number): boolean {
    let decision = this.decisions[index] ?? NO;
    if (decision === UNDECIDED) {
      const requirement = this.compiled.requirements[index];
      decision = requirement !== undefined && isMet(requirement, this.delegation) ? YES : NO;
      this.decisions[index] = decision;
    }
    return decision === YES;
  }

  /**
   * Whether the value may travel whole: the delegation holds the fuller scope, and the consent does not ask
   * for less detail than the directive does.
   */
  seesWholeValue(index: number): boolean {
    let decision = this.wholeValue[index] ?? NO;
    if (decision === UNDECIDED) {
      const unless = this.compiled.exemptions[index];
      const whole = unless !== undefined && seesWhole(unless, this.delegation);
      decision = whole ? YES : NO;
      this.wholeValue[index] = decision;
    }
    return decision === YES;
  }

  /**
   * Whether a row belongs to the delegation's subject. A row that does not say whose it is belongs to nobody, and none
   * belongs to a service.
   */
  owns(row: unknown, property: string): boolean {
    const { delegation } = this;
    if (delegation === undefined || delegation.service === true) return false;
    if (typeof row !== 'object' || row === null) return false;
    return (row as Record<string, unknown>)[property] === delegation.subject;
  }
}

/** The state in a context value that `protectedContext` made. */
export function requestStateOf(contextValue: unknown): RequestState | undefined {
  if (typeof contextValue !== 'object' || contextValue === null) return undefined;
  return (contextValue as Partial<ProtectedContext>)[REQUEST_STATE];
}
