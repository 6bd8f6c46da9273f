import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { createShared, readIfThere } from '@behalf/store/internal';
import { loadLogKey } from '../../audit/log/log-key.js';
import { encryptionKeyFrom } from '../../authority/keys/encryption-key.js';
import { Cosigner } from '../../witness/cosigner.js';

let root: string;
let folder: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'behalf-shared-'));
});
beforeEach(async () => {
  folder = await mkdtemp(join(root, 'folder-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const ROUNDS = 20;
const AT_ONCE = 6;

describe('a file that several create at once', () => {
  it('has the text of one, which all of them get', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const path = join(folder, `file-${round}`);
      const texts = Array.from({ length: AT_ONCE }, (_, at) => `${at}`.repeat(10_000));
      const got = await Promise.all(texts.map((text) => createShared(path, text)));
      expect(new Set(got).size).toBe(1);
      expect(texts).toContain(await readIfThere(path));
      expect(await readIfThere(path)).toBe(got[0]);
    }
  });

  it('is never read in part', async () => {
    const text = 'x'.repeat(100_000);
    for (let round = 0; round < ROUNDS; round++) {
      const path = join(folder, `file-${round}`);
      const creating = createShared(path, text);
      let read: string | undefined;
      while (read === undefined) read = await readIfThere(path);
      expect(read.length).toBe(text.length);
      await creating;
    }
  });

  it('is alone in its folder, and readable by its owner only', async () => {
    await Promise.all(Array.from({ length: AT_ONCE }, () => createShared(join(folder, 'file'), 'text')));
    expect(await readdir(folder)).toEqual(['file']);
    expect((await stat(join(folder, 'file'))).mode & 0o777).toBe(0o600);
  });

  it('is not replaced where there is one', async () => {
    const path = join(folder, 'file');
    await writeFile(path, 'first');
    expect(await createShared(path, 'second')).toBe('first');
  });

  it('is an error in a folder that is not there, and leaves nothing', async () => {
    await expect(createShared(join(folder, 'none', 'file'), 'text')).rejects.toMatchObject({
      code: 'ENOENT',
    });
    expect(await readdir(folder)).toEqual([]);
  });
});

const KEYS: Readonly<Record<string, () => Promise<unknown>>> = {
  'the log': async () => {
    const { privateKey } = await loadLogKey(join(folder, 'key.pem'), 'audit.example');
    return privateKey.export({ format: 'pem', type: 'pkcs8' });
  },
  'a witness': async () => (await Cosigner.load('w.example/1', join(folder, 'key.pem'), true)).verifierKey,
  'the stored secrets': async () => Buffer.from(await encryptionKeyFrom(folder)).toString('hex'),
};

it.each(Object.entries(KEYS))('processes that start at once have one key: of %s', async (_name, load) => {
  for (let round = 0; round < ROUNDS; round++) {
    const keys = await Promise.all(Array.from({ length: AT_ONCE }, () => load()));
    expect(new Set(keys).size).toBe(1);
    expect(await load()).toBe(keys[0]);
    const [file = '', ...others] = await readdir(folder);
    expect(others).toEqual([]);
    await rm(join(folder, file));
  }
});
