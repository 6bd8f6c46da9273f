/** `minimal`: values are given with less detail (the schema's `@minimize`). */
export type DetailLevel = 'full' | 'minimal';

/** What can happen to a consent, in the log. */
export type ConsentEventType = 'requested' | 'granted' | 'narrowed' | 'extended' | 'expired' | 'revoked';

/** Who wanted a change (CAEP `initiating_entity`). */
export type Initiator = 'user' | 'admin' | 'policy';

/** The words that a person was shown when they decided (ISO/IEC TS 27560: privacy notice). */
export interface PrivacyNotice {
  /** BCP 47 */
  readonly language: string;
  readonly client: string;
  readonly purposes: readonly string[];
  readonly scopes: readonly {
    readonly name: string;
    readonly sentence: string;
    /** What stood beside the sentence: that it changes something, that it is sensitive. */
    readonly remarks: readonly string[];
    readonly granted: boolean;
  }[];
  readonly duration: string;
  readonly detail: string;
  /** All text of the page, a line for each block, as it was sent. Absent where there was no page. */
  readonly text?: string;
  /** Who answers for the application, as the page said. */
  readonly owner?: string;
  readonly contact?: string;
}

/** Whether a consent is in force; `replaced`: by a narrower one of the same subject and client. */
export type ConsentStatus = 'active' | 'revoked' | 'expired' | 'replaced';

/** What a person agreed that one client may do on their behalf. */
export interface Consent {
  readonly id: string;
  /** Counts from 1 over all consents of the subject with the client. */
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
  readonly status: ConsentStatus;
  readonly grantedAt: Date;
  readonly until: Date;
  readonly endedAt: Date | undefined;
  /** The subject, or an administrator's, or the name of a part of the system. */
  readonly endedBy: string | undefined;
  readonly endedReason: string | undefined;
}

/** What a person agreed to just now. */
export interface ConsentTerms {
  readonly subject: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly declined: readonly string[];
  readonly purposes: readonly string[];
  /** Default: none. */
  readonly declinedPurposes?: readonly string[];
  readonly detail: DetailLevel;
  readonly until: Date;
  /** Who decided: the subject. */
  readonly by: string;
  readonly notice: PrivacyNotice;
  /** Of the policy by which the offer was made (`policyVersion`). */
  readonly policyVersion?: string;
}

/** What a person takes back of a consent. Only what is named changes. */
export interface Narrowing {
  readonly removeScopes?: readonly string[];
  readonly removePurposes?: readonly string[];
  /** Not after the consent's own end. */
  readonly until?: Date;
  readonly detail?: DetailLevel;
  /** The subject of who narrows: the person themselves. */
  readonly by: string;
  /** Cut after 500 characters. */
  readonly reason?: string | undefined;
}

/** What a narrowing did. */
export interface Narrowed {
  /** The consent as it is now: a new one, unless nothing was to change. Undefined when there is none in force. */
  readonly consent: Consent | undefined;
  /** The consent that it replaces, whose tokens are dead. */
  readonly replaced: Consent | undefined;
  /** Where it stands in the change log. */
  readonly change: ChangePosition | undefined;
}

/** A place in the change log: a gateway that has acknowledged `seq` enforces the change. */
export interface ChangePosition {
  readonly seq: number;
  readonly jti: string;
}

/** @see ConsentRegister.revokeConsent and its siblings */
export interface RevocationOptions {
  /** The subject of who revokes, or the name of a part of the system. */
  readonly by: string;
  /** `policy`: a rule of the authority, such as what a refresh token that comes twice means. */
  readonly initiator: Initiator;
  /** Cut after 500 characters. */
  readonly reason?: string | undefined;
}

/**
 * What became of a call, by a stable code. `done`: it was announced to the gateways, also where nothing was found to end, since
 * tokens are not counted. `already`: it was so before. `unknown`: nothing here has ever named it.
 */
export type RevocationOutcome = 'done' | 'already' | 'unknown';

/** What a revocation ended. */
export interface Revocation {
  readonly outcome: RevocationOutcome;
  /** Consents that were in force and are not any more, as they are now. Empty when a revocation is repeated. */
  readonly ended: readonly Consent[];
  /** Where it stands in the change log; undefined when there was nothing to revoke. */
  readonly change: ChangePosition | undefined;
}

/** @see ConsentRegister.revokeToken */
export type TokenRevocation = Pick<Revocation, 'outcome' | 'change'>;

/** @see ConsentRegister.revokeSubjectSessions */
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

/** @see ConsentRegister.list */
export interface PageRequest {
  /** 1 to 100; default 20. */
  readonly first?: number | undefined;
  /** A `cursor` of an earlier page. */
  readonly after?: string | undefined;
}

/** Newest first. */
export interface ConsentPage {
  readonly items: readonly Consent[];
  /** For the page after this one; undefined at the end. */
  readonly cursor: string | undefined;
}
