import { afterAll, beforeAll, expect, it } from 'vitest';
import { drills } from './drills.js';
import { runDrills } from './run.js';
import { startSystem } from './system.js';
import type { DrillSystem } from './system.js';

let system: DrillSystem;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.close());

it.each(drills.map((drill) => [drill.name, drill] as const))(
  '%s is stopped',
  { timeout: 90_000 },
  async (_name, drill) => {
    const lines: string[] = [];
    const failed = await runDrills([drill], system, (line) => lines.push(line));
    expect(failed, lines.join('\n')).toBe(0);
    expect(lines.filter((line) => line.startsWith('  stopped')).length).toBeGreaterThan(0);
  },
);
