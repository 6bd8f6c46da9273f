import { drills } from './drills.js';
import { runDrills } from './run.js';
import { printLine } from 'behalf/internal';
import { startSystem } from './system.js';

const named = process.argv.slice(2);
const unknown = named.filter((name) => !drills.some((drill) => drill.name === name));
if (unknown.length > 0) {
  console.error(
    `no such drill: ${unknown.join(', ')}; there are ${drills.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}
console.log('Starting the example on a database of its own …');
const system = await startSystem();
const failed = await runDrills(
  drills.filter(({ name }) => named.length === 0 || named.includes(name)),
  system,
  printLine,
).finally(() => system.close());
process.exit(failed === 0 ? 0 : 1);
