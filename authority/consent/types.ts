import type { ConsentLevels } from '@behalf/directives';
import type { ChangePosition } from '../changes/log.js';
import type { ChangeRequest } from '../change-request.js';
import type { ConsentStatus, DetailLevel, Initiator, PrivacyNotice } from '../consent-values.js';

export type { ChangePosition } from '../changes/log.js';
export type {
  ConsentEventType,
  ConsentStatus,
  DetailLevel,
  Initiator,
  PrivacyNotice,
} from '../consent-values.js';

/** An agreement: one person lets one client act on their behalf, within these scopes and purposes, until it ends. */
export interface Consent {
  readonly id: string;
  /** Counted from 1 over all consents of the subject for the client. */
  readonly version: number;
  readonly subject: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Asked for, and refused by the person. */
  readonly declined: readonly string[];
  readonly purposes: readonly string[];
  /** Shown, and refused by the person. */
  readonly declinedPurposes: readonly string[];
  readonly detail: DetailLevel;
  /** Levels of detail, by data category or field. */
  readonly levels: ConsentLevels;
  readonly status: ConsentStatus;
  readonly grantedAt: Date;
  readonly until: Date;
  readonly endedAt: Date | undefined;
  /** The subject, or an administrator's, or the name of a part of the system. */
  readonly endedBy: string | undefined;
  readonly endedReason: string | undefined;
}

/** The terms that a person agreed to just now. */
export interface ConsentTerms {
  readonly subject: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly declined: readonly string[];
  readonly purposes: readonly string[];
  /** Default: none. */
  readonly declinedPurposes?: readonly string[];
  readonly detail: DetailLevel;
  /** Levels of detail, by data category or field. Default: none. */
  readonly levels?: ConsentLevels;
  readonly until: Date;
  /** The subject, who decided. */
  readonly by: string;
  readonly notice: PrivacyNotice;
  /** The version of the policy that the offer was made by (`policyVersion`). */
  readonly policyVersion?: string;
}

/** The parts that a person removes from a consent. Only the named parts change. */
export interface Narrowing {
  readonly removeScopes?: readonly string[];
  readonly removePurposes?: readonly string[];
  /** Must not be after the consent's own end. */
  readonly until?: Date;
  readonly detail?: DetailLevel;
  /** Levels of detail that come on top, by data category or field. */
  readonly levels?: ConsentLevels;
  /** The subject who narrows the consent: the person themselves. */
  readonly by: string;
  /** Cut after 500 characters. */
  readonly reason?: string | undefined;
  /** Default: none, and the audit log names the person alone. */
  readonly request?: ChangeRequest | undefined;
}

/** The result of {@link ConsentRegister.narrow}. */
export interface Narrowed {
  /** The consent now: a new one, unless nothing changed. Undefined if none is in force. */
  readonly consent: Consent | undefined;
  /** The consent that it replaces, whose tokens have ended. */
  readonly replaced: Consent | undefined;
  /** Its position in the change log. */
  readonly change: ChangePosition | undefined;
}

/** The party that revokes, and its reason: see {@link ConsentRegister.revokeConsent}. All of it is recorded. */
export interface RevocationOptions {
  /**
   * The subject who revokes, or a part of the system. For `admin` and `policy` without a `request`, the audit log gets this name as
   * it is (`operator`), so it must not be a subject's.
   */
  readonly by: string;
  /** `policy`: a rule of the authority, such as reuse detection of refresh tokens. */
  readonly initiator: Initiator;
  /** Cut after 500 characters. The audit log gets it too. */
  readonly reason?: string | undefined;
  /** The request that asks for it, whose caller the audit log names instead. Default: none. */
  readonly request?: ChangeRequest | undefined;
}

/**
 * The outcome of a call, a stable code. `done`: announced to the gateways, even if nothing was found to end, because tokens are
 * not tracked. `already`: it was so before. `unknown`: it was never seen here.
 */
export type RevocationOutcome = 'done' | 'already' | 'unknown';

/** The result of a revocation. */
export interface Revocation {
  readonly outcome: RevocationOutcome;
  /** The consents that this call ended, in their present state. Empty if a revocation is repeated. */
  readonly ended: readonly Consent[];
  /** Its position in the change log; undefined if there was nothing to revoke. */
  readonly change: ChangePosition | undefined;
}

/** The result of {@link ConsentRegister.revokeToken}. */
export type TokenRevocation = Pick<Revocation, 'outcome' | 'change'>;

/** The result of {@link ConsentRegister.revokeSession} or {@link ConsentRegister.revokeSubjectSessions}. */
export interface SessionsRevocation extends Revocation {
  /** Sign-ins at the authority that ended. */
  readonly sessions: number;
  /** Refresh tokens and authorization codes that ended. */
  readonly tokens: number;
}

/** Each member that is present must match. */
export interface ConsentFilter {
  readonly subject?: string | undefined;
  readonly clientId?: string | undefined;
  readonly status?: ConsentStatus | undefined;
}

/** Which page {@link ConsentRegister.list} returns. */
export interface PageRequest {
  /** 1 to 100; default 20. */
  readonly first?: number | undefined;
  /** The `cursor` of the previous page. */
  readonly after?: string | undefined;
}

/** Newest first. */
export interface ConsentPage {
  readonly items: readonly Consent[];
  /** The cursor of the next page; undefined at the end. */
  readonly cursor: string | undefined;
}
