import { chmod, lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { replaceFile } from '../../gateway/compose/replace-file.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-replace-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('makes a file that is new', async () => {
  await replaceFile(join(folder, 'new.graphql'), 'text');
  expect(await readdir(folder)).toEqual(['new.graphql']);
  expect(await readFile(join(folder, 'new.graphql'), 'utf8')).toBe('text');
});

it('never shows a reader a part of the text', async () => {
  const path = join(folder, 'supergraph.graphql');
  const texts = ['a', 'b'].map((letter) => letter.repeat(1_000_000));
  await replaceFile(path, texts[0] ?? '');
  const read = new Set<string>();
  for (let i = 0; i < 20; i++) {
    const writing = replaceFile(path, texts[i % 2] ?? '');
    const reads = await Promise.all(Array.from({ length: 5 }, () => readFile(path, 'utf8')));
    for (const text of reads) read.add(text);
    await writing;
  }
  expect([...read].filter((text) => !texts.includes(text))).toEqual([]);
});

it('keeps a link, and the permissions of the file behind it', async () => {
  const path = join(folder, 'behind.graphql');
  const link = join(folder, 'link.graphql');
  await writeFile(path, 'old');
  await chmod(path, 0o666);
  await symlink(path, link);
  await replaceFile(link, 'new');
  expect((await lstat(link)).isSymbolicLink()).toBe(true);
  expect(await readFile(path, 'utf8')).toBe('new');
  expect((await stat(path)).mode & 0o777).toBe(0o666);
});

it('writes to a device', async () => {
  await replaceFile('/dev/null', 'text');
  expect((await stat('/dev/null')).isCharacterDevice()).toBe(true);
});

it('fails in a folder that does not exist, and leaves nothing', async () => {
  await expect(replaceFile(join(folder, 'none', 'a'), 'text')).rejects.toThrow('ENOENT');
  expect(await readdir(folder)).toEqual([]);
});

it('leaves nothing beside a folder that it cannot replace', async () => {
  await expect(replaceFile(folder, 'text')).rejects.toThrow('EISDIR');
  expect(await readdir(folder)).toEqual([]);
});
