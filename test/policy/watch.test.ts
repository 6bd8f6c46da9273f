import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { watchFile } from '../../policy/watch.js';

const DEBOUNCE_MS = 30;

/** So long that only a notification of the operating system can explain a report. */
const NEVER_MS = 60_000;

describe('watchFile', () => {
  let directory: string;
  let file: string;
  let stop: AbortController;
  let changes: number;
  const count = () => {
    changes++;
  };
  const reported = (times: number) =>
    vi.waitFor(() => {
      expect(changes).toBe(times);
    }, 3_000);
  const quiet = () => sleep(DEBOUNCE_MS * 6);

  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'behalf-watch-'));
    file = path.join(directory, 'policy.yaml');
    writeFileSync(file, 'version: 1\n');
    stop = new AbortController();
    changes = 0;
  });

  afterEach(() => {
    stop.abort();
    rmSync(directory, { recursive: true, force: true });
  });

  const start = (onChange: () => void | Promise<void> = count, pollMs = NEVER_MS, watched = file) => {
    watchFile(watched, onChange, { debounceMs: DEBOUNCE_MS, pollMs, signal: stop.signal });
  };

  it('reports a write in place once', async () => {
    start();
    writeFileSync(file, 'version: 2\n');
    await reported(1);
    await quiet();
    expect(changes).toBe(1);
  });

  it('reports every rename over the file', async () => {
    start();
    for (const version of [2, 3]) {
      writeFileSync(`${file}.new`, `version: ${version}\n`);
      renameSync(`${file}.new`, file);
      await reported(version - 1);
    }
  });

  it('reports a Kubernetes symlink swap', async () => {
    const mounted = path.join(directory, 'config');
    mkdirSync(path.join(mounted, '..v1'), { recursive: true });
    mkdirSync(path.join(mounted, '..v2'));
    writeFileSync(path.join(mounted, '..v1', 'policy.yaml'), 'version: 1\n');
    writeFileSync(path.join(mounted, '..v2', 'policy.yaml'), 'version: 2\n');
    symlinkSync('..v1', path.join(mounted, '..data'));
    symlinkSync('..data/policy.yaml', path.join(mounted, 'policy.yaml'));
    start(count, NEVER_MS, path.join(mounted, 'policy.yaml'));
    symlinkSync('..v2', path.join(mounted, '..data_tmp'));
    renameSync(path.join(mounted, '..data_tmp'), path.join(mounted, '..data'));
    await reported(1);
  });

  it('waits for a missing file to come back', async () => {
    start();
    unlinkSync(file);
    await quiet();
    expect(changes).toBe(0);
    writeFileSync(file, 'version: 2\n');
    await reported(1);
  });

  it('finds by polling what the system does not report', async () => {
    const elsewhere = path.join(directory, 'elsewhere');
    mkdirSync(elsewhere);
    writeFileSync(path.join(elsewhere, 'policy.yaml'), 'version: 1\n');
    const link = path.join(directory, 'linked.yaml');
    symlinkSync(path.join(elsewhere, 'policy.yaml'), link);
    start(count, DEBOUNCE_MS, link);
    writeFileSync(path.join(elsewhere, 'policy.yaml'), 'version: 2\n');
    await reported(1);
  });

  it('watches a file whose directory does not exist yet', async () => {
    const later = path.join(directory, 'later', 'policy.yaml');
    start(count, DEBOUNCE_MS, later);
    mkdirSync(path.dirname(later));
    writeFileSync(later, 'version: 1\n');
    await reported(1);
  });

  it('reports many writes in quick succession once', async () => {
    start();
    for (let written = 0; written < 20; written++) writeFileSync(file, `version: ${written}\n`);
    await reported(1);
    await quiet();
    expect(changes).toBe(1);
  });

  it('reports a file that never comes to rest', async () => {
    start();
    const writing = setInterval(() => {
      writeFileSync(file, `# ${Math.random()}\n`);
    }, DEBOUNCE_MS / 3);
    await vi.waitFor(() => {
      expect(changes).toBeGreaterThan(0);
    }, 3_000);
    clearInterval(writing);
  });

  it('ignores other files of the directory', async () => {
    start();
    writeFileSync(path.join(directory, 'other.yaml'), 'version: 2\n');
    await quiet();
    expect(changes).toBe(0);
  });

  it('goes on after onChange has thrown', async () => {
    start(() => {
      count();
      throw new Error('refused');
    });
    writeFileSync(file, 'version: 2\n');
    await reported(1);
    writeFileSync(file, 'version: 33\n');
    await reported(2);
  });

  it('never runs onChange twice at a time', async () => {
    let running = 0;
    let most = 0;
    start(async () => {
      most = Math.max(most, ++running);
      await sleep(DEBOUNCE_MS * 4);
      running--;
      count();
    });
    writeFileSync(file, 'version: 2\n');
    await vi.waitFor(() => {
      expect(running).toBe(1);
    }, 3_000);
    writeFileSync(file, 'version: 33\n');
    await reported(2);
    expect(most).toBe(1);
  });

  it('reports nothing after the signal has aborted', async () => {
    start();
    stop.abort();
    writeFileSync(file, 'version: 2\n');
    await quiet();
    expect(changes).toBe(0);
  });
});
