/** A checkpoint and the cosignatures that it has. */
export interface Witnessed {
  readonly note: string;
  /** Whether the cosignatures are the quorum that the log needs. */
  readonly isWitnessed: boolean;
}

/** Obtains cosignatures. `@behalf/witness` has one that asks the witnesses of a C2SP tlog-policy. */
export interface Witnessing {
  /**
   * @param checkpoint signed by the log
   * @param proveConsistency makes the proof that the log of that size begins with an older one
   * @throws if a witness has cosigned a longer log, or another one
   */
  cosign(
    checkpoint: { readonly origin: string; readonly size: number; readonly note: string },
    proveConsistency: (oldSize: number) => Promise<readonly Uint8Array[]>,
  ): Promise<Witnessed>;
}
