/** On whose behalf a change was requested: the token's members, or what the authority itself knows. */
export interface ChangeCaller {
  /** The person, by name: the audit log gets a pseudonym. Absent for a service. */
  readonly subject?: string | undefined;
  /** The client acted for itself. */
  readonly service?: true | undefined;
  readonly clientId?: string | undefined;
  /** RFC 8693 `act.sub` */
  readonly actor?: string | undefined;
  readonly consentId?: string | undefined;
  readonly consentVersion?: number | undefined;
  readonly purposes?: readonly string[] | undefined;
}

/** The request through which a change came, for the event that the audit log gets. */
export interface ChangeRequest {
  /** `txn` of the gateway's transaction token. Default: a new one, which all events of the change share. */
  readonly transactionId?: string | undefined;
  /** 32 hex digits (W3C Trace Context). */
  readonly traceId?: string | undefined;
  readonly caller: ChangeCaller;
}
