/**
 * How many times as many cases the properties draw as their numbers say. Most draw the same ones each
 * time, so the suite draws fewer: `BEHALF_PROPERTY_RUNS=10` draws many more by hand.
 */
export const RUNS = Number(process.env['BEHALF_PROPERTY_RUNS'] ?? 0.4);
