import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { projectPath } from '@behalf/example/internal';
import { fencesIn } from './fences.js';

// npm shows the README of a package alone, without the repository around it.

const REPOSITORY = 'https://github.com/behalf-dev/behalf/';
const FOLDERS = [
  'directives',
  'policy',
  'store',
  'http',
  'audit-verify',
  'witness',
  'revocation',
  'audit',
  'authority',
  'gateway',
  'cli',
  'subgraphs/consent',
];

const packages = await Promise.all(
  FOLDERS.map(async (folder) => {
    const manifest = JSON.parse(await readFile(projectPath(folder, 'package.json'), 'utf8')) as {
      readonly name: string;
    };
    return { name: manifest.name, text: await readFile(projectPath(folder, 'README.md'), 'utf8') };
  }),
);

it('covers every published package', async () => {
  const { workspaces } = JSON.parse(await readFile(projectPath('package.json'), 'utf8')) as {
    readonly workspaces: readonly string[];
  };
  expect(new Set(FOLDERS)).toEqual(new Set(workspaces.filter((folder) => folder !== 'subgraphs/bank')));
});

describe.each(packages)('the README of $name', ({ name, text }) => {
  const fences = fencesIn(name, text);

  it('begins with the name of the package, a paragraph that says what it is, and how to install it', () => {
    const [title, paragraph = '', install] = text.split('\n\n', 3);
    expect(title).toBe(`# ${name}`);
    expect(paragraph).toMatch(/^[A-Z][^#|`]{40}/);
    expect(paragraph).toContain(`[Behalf](${REPOSITORY.slice(0, -1)})`);
    expect(install).toMatch(new RegExp(`^\`\`\`sh\nnpm install (--save-dev )?${name}( |\n)`));
  });

  it('has an example that imports it, unless it is the command line', () => {
    if (name === 'behalf') return;
    const examples = fences.filter(({ info }) => info === 'ts');
    expect(examples.some(({ text: code }) => code.includes(`from '${name}`))).toBe(true);
  });

  it('links to addresses only, and to files that the repository has', () => {
    const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
    expect(targets.filter((target) => !/^(https:|#)/.test(target))).toEqual([]);
    const files = targets
      .filter((target) => target.startsWith(`${REPOSITORY}blob/main/`))
      .map((target) => target.slice(`${REPOSITORY}blob/main/`.length).replace(/#.*$/, ''));
    expect(files.filter((file) => !existsSync(projectPath(file)))).toEqual([]);
  });
});
