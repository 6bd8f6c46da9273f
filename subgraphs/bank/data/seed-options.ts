/** The sizes of a generated bank; `seed` decides its rows. */
export interface SeedOptions {
  readonly seed: number;
  readonly customers: number;
  readonly accounts: number;
  readonly transactions: number;
}

export const DEFAULT_SEED: SeedOptions = {
  seed: 20_260_930,
  customers: 1_000,
  accounts: 3_000,
  transactions: 200_000,
};
