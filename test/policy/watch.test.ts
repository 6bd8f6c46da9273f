import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { watchFile } from '../../policy/watch.js';
import { ManualClock } from '../support/manual-clock.js';
import { until } from '../support/wait.js';

const DEBOUNCE_MS = 30;

/** So long that only a notification of the operating system can explain a report. */
const NEVER_MS = 86_400_000;

describe('watchFile', () => {
  let directory: string;
  let file: string;
  let stop: AbortController;
  let clock: ManualClock;
  let changes: number;
  const count = () => {
    changes++;
  };
  /** Lets time pass until the condition holds. The file system has a pace of its own. */
  const passUntil = (isSo: () => boolean, what: string) =>
    until(async () => {
      await clock.advance(DEBOUNCE_MS);
      return isSo();
    }, what);
  const reported = async (times: number) => {
    await passUntil(() => changes >= times, `change ${times}`);
    expect(changes).toBe(times);
  };
  /** The file has been looked at often enough to report it, whether the system reported anything or not. */
  const quiet = async () => {
    for (let looks = 0; looks < 4; looks += 1) {
      await clock.advance(NEVER_MS);
      await until(() => clock.timers === 1, 'the end of the look');
    }
  };

  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'behalf-watch-'));
    file = path.join(directory, 'policy.yaml');
    writeFileSync(file, 'version: 1\n');
    stop = new AbortController();
    clock = new ManualClock();
    changes = 0;
  });

  afterEach(() => {
    stop.abort();
    rmSync(directory, { recursive: true, force: true });
  });

  const start = (onChange: () => void | Promise<void> = count, pollMs = NEVER_MS, watched = file) => {
    watchFile(watched, onChange, { debounceMs: DEBOUNCE_MS, pollMs, clock, signal: stop.signal });
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
    await until(async () => {
      writeFileSync(file, `# ${Math.random()}\n`);
      await clock.advance(DEBOUNCE_MS);
      return changes > 0;
    }, 'the report');
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
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    let running = 0;
    let most = 0;
    start(async () => {
      most = Math.max(most, ++running);
      await released;
      running--;
      count();
    });
    writeFileSync(file, 'version: 2\n');
    await passUntil(() => running === 1, 'the first call');
    writeFileSync(file, 'version: 33\n');
    await clock.advance(NEVER_MS);
    release();
    await reported(2);
    expect(most).toBe(1);
  });

  it('reports nothing after the signal has aborted', async () => {
    start();
    stop.abort();
    expect(clock.timers).toBe(0);
    const other = new AbortController();
    let seen = 0;
    const see = () => {
      seen++;
    };
    watchFile(file, see, { debounceMs: DEBOUNCE_MS, clock, signal: other.signal });
    writeFileSync(file, 'version: 2\n');
    await passUntil(() => seen > 0, 'the report to another');
    other.abort();
    expect(changes).toBe(0);
  });
});
