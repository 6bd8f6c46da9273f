/** The example did not behave as the walkthrough says. */
export class WalkthroughError extends Error {
  override readonly name = 'WalkthroughError';
  readonly code = 'WALKTHROUGH';
}

/** @throws WalkthroughError when the claim does not hold */
export function expect(holds: boolean, claim: string): void {
  if (!holds) throw new WalkthroughError(`Expected: ${claim}`);
}
