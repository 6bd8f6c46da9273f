import type { Drill } from './drill.js';
import type { DrillSystem } from './system.js';

/**
 * Runs the drills in turn on one running system, and prints what each tried and what stopped it.
 *
 * @returns how many were not stopped
 */
export async function runDrills(
  chosen: readonly Drill[],
  system: DrillSystem,
  print: (line: string) => void,
): Promise<number> {
  let failed = 0;
  for (const drill of chosen) {
    const { name, breach } = drill;
    print('');
    print(`━━ ${name} ${'━'.repeat(Math.max(3, 76 - name.length))}`);
    print(breach);
    try {
      await drill.run(system, {
        tried: (what) => print(`  tried    ${what}`),
        stopped: (by) => print(`  stopped  ${by}`),
        held: (what) => print(`  held     ${what}`),
      });
    } catch (error) {
      failed += 1;
      print(`  FAILED   ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  print('');
  print(`${chosen.length - failed} breaches stopped, ${failed} not`);
  return failed;
}
