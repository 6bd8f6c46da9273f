import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readTextFile } from '../../policy/text-file.js';
import { MAX_FILE_WAIT_MS, withinTime } from '../../policy/bounded.js';
import { ManualClock } from '../support/manual-clock.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-text-file-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const refuse = (problem: string): Error => new Error(problem);
const pipe = (name = 'pipe'): string => {
  const file = join(folder, name);
  execFileSync('mkfifo', [file]);
  return file;
};

describe('a text file', () => {
  it('may be behind links, as Kubernetes mounts a ConfigMap', async () => {
    await mkdir(join(folder, '..2026'));
    await writeFile(join(folder, '..2026', 'policy.yaml'), 'one');
    await symlink('..2026', join(folder, '..data'));
    await symlink(join('..data', 'policy.yaml'), join(folder, 'policy.yaml'));
    expect(await readTextFile(join(folder, 'policy.yaml'), refuse)).toBe('one');
  });

  it('is refused if it is a pipe, and the file that replaces it is read', async () => {
    const file = pipe();
    await expect(readTextFile(file, refuse)).rejects.toThrow('it is not a regular file (ENXIO)');
    await writeFile(join(folder, 'next'), 'two');
    await rename(join(folder, 'next'), file);
    expect(await readTextFile(file, refuse)).toBe('two');
  });

  it('is refused if it is a device, a socket, a folder, or a link to one of them', async () => {
    const socket = join(folder, 'socket');
    const server = createServer().listen(socket);
    try {
      await symlink('/dev/zero', join(folder, 'link'));
      for (const file of ['/dev/zero', '/dev/null', join(folder, 'link'), socket])
        await expect(readTextFile(file, refuse), file).rejects.toThrow('it is not a regular file');
      await expect(readTextFile(folder, refuse)).rejects.toThrow('it is a folder (EISDIR)');
    } finally {
      server.close();
    }
  });

  it('may be a pipe for a command that a person watches', async () => {
    const file = pipe();
    const read = readTextFile(file, refuse, { allowPipes: true });
    appendFileSync(file, 'three');
    expect(await read).toBe('three');
  });
});

/** Opening a pipe without a writer is a call that the system does not end. */
describe('a call to the file system that hangs', () => {
  const hang = async (file: string): Promise<void> => {
    const clock = new ManualClock();
    const call = withinTime(file, () => readFile(file), clock);
    const ended = expect(call).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    await clock.advance(MAX_FILE_WAIT_MS);
    await ended;
  };

  it('is given up on, and the file that replaces it is read', async () => {
    const file = pipe();
    await hang(file);
    await rename(file, join(folder, 'hung'));
    await writeFile(file, 'text');
    expect(await readTextFile(file, refuse)).toBe('text');
    appendFileSync(join(folder, 'hung'), '');
  });

  it('is not repeated until every thread hangs, and stops no reads of other files', async () => {
    const [a, b] = [pipe('a'), pipe('b')];
    const file = join(folder, 'file');
    await writeFile(file, 'text');
    await hang(a);
    await hang(a);
    await expect(readTextFile(a, refuse)).rejects.toThrow('earlier reads have not ended');
    expect(await readTextFile(file, refuse)).toBe('text');
    await hang(b);
    await expect(readTextFile(file, refuse)).rejects.toThrow('earlier reads have not ended');
    for (const each of [a, b]) appendFileSync(each, '');
    await expect.poll(() => readTextFile(file, refuse).catch(String)).toBe('text');
  });
});
