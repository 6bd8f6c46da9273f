/**
 * `npm run mutate`: changes the code that decides, one small change at a time, and shows which changes no test notices. See
 * CONTRIBUTING.md.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { AREAS, isInArea } from './areas.js';
import { matchEquivalent, readEquivalent } from './equivalent.js';
import { OUTPUT, runArea } from './run-area.js';
import { scoreOf, scoreTable, shortfalls, unnoticedLines } from './score.js';
import type { Score } from './score.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    file: { type: 'string', multiple: true },
    force: { type: 'boolean', default: false },
    concurrency: { type: 'string' },
  },
});

process.chdir(fileURLToPath(new URL('../../..', import.meta.url)));
const listed = await readEquivalent('test/mutation/equivalent.json');
const problems = listed
  .filter(({ file }) => areasOf(file).length === 0)
  .map(({ file }) => `test/mutation/equivalent.json: ${file} is in no area`);
const scores: Score[] = [];
for (const name of chosenAreas()) {
  const area = AREAS[name];
  if (area === undefined) throw new Error(`no area "${name}"; there are: ${Object.keys(AREAS).join(', ')}`);
  console.log(`\n== ${name}`);
  const files = values.file?.filter((file) => isInArea(area, file));
  const mutants = await runArea(name, area, {
    files,
    force: values.force,
    concurrency: values.concurrency === undefined ? undefined : Number(values.concurrency),
  });
  const isRun = (file: string): boolean => files?.includes(file) ?? areasOf(file).includes(name);
  const { equivalent, problems: stale } = matchEquivalent(mutants, listed, isRun);
  const score = scoreOf(name, mutants, equivalent);
  scores.push(score);
  problems.push(...stale, ...shortfalls(score));
  console.log(unnoticedLines(mutants, equivalent).join('\n'));
}
console.log(`\n${scoreTable(scores)}\n\nEach area's mutants in their place: ${OUTPUT}/<area>.html`);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;

function chosenAreas(): readonly string[] {
  if (positionals.length > 0) return positionals;
  const files = values.file;
  return files === undefined ? Object.keys(AREAS) : [...new Set(files.flatMap(areasOf))];
}

function areasOf(file: string): readonly string[] {
  return Object.entries(AREAS)
    .filter(([, area]) => isInArea(area, file))
    .map(([name]) => name);
}
