import { interleave, ratio, spread } from '../harness/interleave.js';
import { printTable } from '../harness/table.js';
import { FIELDS, fieldContenders, ROWS } from './contenders.js';

const ROUNDS = 7;
const TIMES = 6;

/**
 * What protection costs per field of a subgraph: 1,000 objects with 10 protected fields each, compared with the same schema without
 * protection and with other libraries.
 */
export async function benchSubgraph(): Promise<void> {
  const contenders = await fieldContenders();
  const timings = await interleave(
    contenders.map((contender) => ({
      name: contender.name,
      run: async (times: number) => {
        for (let time = 0; time < times; time += 1) await contender.execute(true);
      },
    })),
    { rounds: ROUNDS, times: TIMES },
  );
  const [bare] = timings;
  if (bare === undefined) throw new Error('a contender is missing');
  const nanoseconds = (microseconds: number): number => (microseconds * 1_000) / (ROWS * FIELDS);
  console.log(`\nA subgraph: ${ROWS} objects × ${FIELDS} fields, ns for each field`);
  printTable(
    ['contender', 'ns per field', 'ratio to no protection'],
    timings.map((timing) => [
      timing.name,
      spread(timing.rounds.map(nanoseconds), 0),
      ratio(timing, bare).toFixed(2),
    ]),
  );
}
