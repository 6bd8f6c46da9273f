import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { projectPath } from '@behalf/example/internal';

const NOT_OURS = new Set(['node_modules', 'dist', '.git', '.behalf', '.mutation']);

async function documents(folder = projectPath()): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = entries
    .filter(({ name }) => !NOT_OURS.has(name))
    .map(async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return documents(path);
      return entry.name.endsWith('.md') ? [path] : [];
    });
  return (await Promise.all(found)).flat();
}

/** Without code, in which brackets are not links. */
async function proseOf(file: string): Promise<string> {
  const text = await readFile(file, 'utf8');
  return text.replaceAll(/^( *)(```+|~~~+)[^\n]*\n[\s\S]*?^\1\2 *$/gm, '');
}

/** GitHub's anchors of a document's headings; repeated names get a number. */
async function anchorsOf(file: string): Promise<ReadonlySet<string>> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of (await proseOf(file)).matchAll(/^#{1,6} +(.+?)(?: +#*)?$/gm)) {
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count += 1) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

it('relative links lead to files, and their anchors to headings', async () => {
  const broken: string[] = [];
  for (const file of await documents()) {
    const prose = (await proseOf(file)).replaceAll(/`[^`\n]*`/g, '');
    for (const [, target = ''] of prose.matchAll(/\]\((?![a-z]+:)([^)\s]+)\)/g)) {
      const [path = '', anchor] = target.split('#');
      const to = path === '' ? file : resolve(dirname(file), path);
      const isThere =
        existsSync(to) && (anchor === undefined || !to.endsWith('.md') || (await anchorsOf(to)).has(anchor));
      if (!isThere) broken.push(`${relative(projectPath(), file)} links to ${target}`);
    }
  }
  expect(broken).toEqual([]);
});

it('the documentation index names every page except the decisions', async () => {
  const index = await proseOf(projectPath('docs/README.md'));
  const pages = (await documents(projectPath('docs')))
    .map((file) => relative(projectPath('docs'), file))
    .filter((page) => page !== 'README.md' && !page.startsWith('decisions/'));
  for (const page of pages) expect(index).toContain(`(${page})`);
});
