import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AREAS, isInArea } from './areas.js';
import { matchEquivalent, readEquivalent } from './equivalent.js';
import { readMutants } from './mutant.js';
import type { Mutant, MutantStatus } from './mutant.js';
import { scoreOf, shortfalls } from './score.js';

const ENTRY = {
  file: 'a.ts',
  line: 'if (limit > 0) return;',
  mutator: 'ConditionalExpression',
  original: 'limit > 0',
  replacement: 'true',
  reason: 'no limit is negative',
};

function mutant(status: MutantStatus, changed: Partial<Mutant> = {}): Mutant {
  const { file, line, mutator, original, replacement } = ENTRY;
  return { file, line: 3, column: 5, lineText: line, mutator, original, replacement, status, ...changed };
}

const everywhere = (): boolean => true;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-mutation-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('equivalent mutants', () => {
  it('match wherever their line has moved', () => {
    const survived = mutant('Survived', { line: 99 });
    expect(matchEquivalent([survived], [ENTRY], everywhere)).toEqual({
      equivalent: new Set([survived]),
      problems: [],
    });
  });

  it.each<[string, Partial<Mutant>]>([
    ['of another file', { file: 'b.ts' }],
    ['on another line', { lineText: 'while (limit > 0) next();' }],
    ['with another replacement', { replacement: 'false' }],
    ['of another mutator', { mutator: 'EqualityOperator' }],
    ['of another text', { original: 'limit' }],
  ])('do not cover one %s', (_, changed) => {
    const { equivalent, problems } = matchEquivalent([mutant('Survived', changed)], [ENTRY], everywhere);
    expect(equivalent.size).toBe(0);
    expect(problems).toEqual([expect.stringContaining('no such mutant')]);
  });

  it('are an error when a test notices them', () => {
    const { equivalent, problems } = matchEquivalent([mutant('Killed')], [ENTRY], everywhere);
    expect(equivalent.size).toBe(0);
    expect(problems).toEqual([expect.stringContaining('not equivalent')]);
  });

  it('are not looked for in files that were not run', () => {
    expect(matchEquivalent([], [ENTRY], () => false).problems).toEqual([]);
  });

  it.each([{ ...ENTRY, reason: undefined }, { ...ENTRY, why: 'so' }, 'a.ts', null])(
    'need every text, and no other: %j',
    async (entry) => {
      const path = join(folder, 'equivalent.json');
      await writeFile(path, JSON.stringify([entry]));
      await expect(readEquivalent(path)).rejects.toThrow('entry 0 needs');
    },
  );

  it('are listed for files of an area', async () => {
    const listed = JSON.parse(await readFile('test/mutation/equivalent.json', 'utf8')) as (typeof ENTRY)[];
    const areas = Object.values(AREAS);
    expect(listed.filter(({ file }) => !areas.some((area) => isInArea(area, file)))).toEqual([]);
  });
});

describe('score', () => {
  const mutants = (killed: number, survived: number): Mutant[] => [
    ...Array.from({ length: killed }, () => mutant('Killed')),
    ...Array.from({ length: survived }, () => mutant('Survived')),
  ];

  it('needs 90 % killed, with equivalent mutants counted as not killed', () => {
    const enough = mutants(90, 10);
    expect(shortfalls(scoreOf('area', enough, new Set()))).toEqual([]);
    const few = mutants(899, 101);
    expect(shortfalls(scoreOf('area', few, new Set(few.slice(-40))))).toEqual([
      'area: 89.9 % killed, less than 90 %',
    ]);
  });

  it('allows 5 % equivalent', () => {
    const some = mutants(94, 6);
    expect(shortfalls(scoreOf('area', some, new Set(some.slice(-5))))).toEqual([]);
    expect(shortfalls(scoreOf('area', some, new Set(some.slice(-6))))).toEqual([
      'area: 6.0 % listed as equivalent, more than 5 %',
    ]);
  });

  it('counts a timeout as killed, and a mutant that could not run as not killed', () => {
    const all = [
      mutant('Timeout'),
      mutant('RuntimeError'),
      mutant('Ignored'),
      mutant('NoCoverage'),
      mutant('Survived'),
    ];
    expect(scoreOf('area', all, new Set())).toEqual({
      area: 'area',
      mutants: 5,
      killed: 1,
      survived: 1,
      noCoverage: 1,
      equivalent: 0,
    });
  });

  it('fails for an area without mutants', () => {
    expect(shortfalls(scoreOf('area', [], new Set()))).toHaveLength(1);
  });
});

describe('report', () => {
  it('gives the text of each mutant and of its line', async () => {
    const path = join(folder, 'report.json');
    const source = 'const a = 1;\n  if (a >\n      0) stop();\n';
    const location = { start: { line: 2, column: 7 }, end: { line: 3, column: 8 } };
    const files = {
      'a.ts': { source, mutants: [{ mutatorName: 'M', replacement: 'true', status: 'Survived', location }] },
    };
    await writeFile(path, JSON.stringify({ files }));
    expect(await readMutants(path)).toEqual([
      {
        file: 'a.ts',
        line: 2,
        column: 7,
        lineText: 'if (a >',
        mutator: 'M',
        original: 'a > 0',
        replacement: 'true',
        status: 'Survived',
      },
    ]);
  });
});
