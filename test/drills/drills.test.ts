import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { drills } from './drills.js';
import { runDrills } from './run.js';
import { startSystem } from './system.js';
import type { DrillSystem } from './system.js';

let database: TestDatabase<unknown>;
let system: DrillSystem;
beforeAll(async () => {
  database = await createTestDatabase();
  system = await startSystem(database.url);
});
afterAll(async () => {
  await system.close();
  await database.drop();
});

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
