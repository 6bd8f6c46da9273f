/** A checkpoint and the cosignatures that it has. */
export interface Witnessed {
  readonly note: string;
  /** Whether the cosignatures are the quorum that the log needs. */
  readonly isWitnessed: boolean;
  /** Why the log must not be continued: a witness proved that it cosigned a longer log, or another one. */
  readonly contradiction?: string | undefined;
  /** What a witness says against the log without proving it. */
  readonly unproven?: string | undefined;
}

/** Obtains cosignatures. `@behalf/witness` has one that asks the witnesses of a C2SP tlog-policy. */
export interface Witnessing {
  /**
   * Never rejects: a witness that does not answer has not cosigned.
   *
   * @param checkpoint signed by the log
   * @param proveConsistency makes the proof that the log of that size begins with an older one
   */
  cosign(
    checkpoint: { readonly origin: string; readonly size: number; readonly note: string },
    proveConsistency: (oldSize: number) => Promise<readonly Uint8Array[]>,
  ): Promise<Witnessed>;
}
