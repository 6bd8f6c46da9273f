/** One of the contenders: does its work `times` times. */
export interface Contender {
  readonly name: string;
  readonly run: (times: number) => Promise<void> | void;
}

export interface Timing {
  readonly name: string;
  /** Microseconds per run, for each round. */
  readonly rounds: readonly number[];
}

const WARM_UP_MS = 1_500;
const MAX_WARM_UPS = 40;

/**
 * Times contenders in turn, round by round, so that drifting machine speed affects all of them. Each is warmed up first, and
 * garbage is collected between contenders.
 */
export async function interleave(
  contenders: readonly Contender[],
  { rounds, times }: { readonly rounds: number; readonly times: number },
): Promise<Timing[]> {
  for (const { run } of contenders) {
    const end = performance.now() + WARM_UP_MS;
    for (let warmUp = 0; warmUp < MAX_WARM_UPS && performance.now() < end; warmUp += 1) await run(times);
  }
  const timings = contenders.map(({ name }) => ({ name, rounds: [] as number[] }));
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, { run }] of contenders.entries()) {
      globalThis.gc?.();
      const before = performance.now();
      await run(times);
      timings[index]?.rounds.push(((performance.now() - before) * 1_000) / times);
    }
  }
  return timings;
}

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Median, minimum and maximum. */
export function spread(values: readonly number[], digits = 1): string {
  const shown = (value: number): string => value.toFixed(digits);
  return `${shown(medianOf(values))} (${shown(Math.min(...values))}–${shown(Math.max(...values))})`;
}

/** Median of each round's ratio: whatever slows a round slows both of its sides. */
export function ratio(timing: Timing, to: Timing): number {
  return medianOf(timing.rounds.map((value, round) => value / (to.rounds[round] ?? Number.NaN)));
}
