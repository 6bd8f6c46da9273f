import { statSync, watch, type FSWatcher } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '@behalf/directives';
import { systemClock } from '@behalf/directives/internal';
import { withinTime } from './bounded.js';

/** How long a file must stay unchanged before a change is reported. */
const DEFAULT_DEBOUNCE_MS = 200;

/** How often the file is looked at when the operating system reports nothing, as on network file systems. */
const DEFAULT_POLL_MS = 5_000;

/** A file that keeps changing is reported after this many debounce intervals anyway. */
const MAX_DEBOUNCES = 10;

/** The settings of {@link watchFile}. */
export interface WatchOptions {
  /** How long the file must stay unchanged before the change is reported, in milliseconds. Default: 200. */
  debounceMs?: number;
  /** How often the file is looked at without being notified, in milliseconds. Default: 5000. */
  pollMs?: number;
  /** Tells the time and starts timers. Default: the machine's own. */
  clock?: Clock;
  /** Stops the watching. */
  signal: AbortSignal;
}

/**
 * Calls `onChange` whenever the content behind `file` may have changed, until `signal` aborts.
 *
 * It notices writes in place, a rename over the file, and a symbolic link that now leads elsewhere (as Kubernetes does for
 * ConfigMaps), even where the operating system reports nothing, because it also polls. Removing the file is not a change, but
 * putting a different file in its place is. Changes in quick succession are reported once. The first state is the one at the time
 * of the call, so a caller that reads the file afterwards misses nothing.
 *
 * `onChange` runs once at a time. The watcher drops its errors, so report them inside. Neither timers nor the watcher keep the
 * process alive. Nothing is thrown: not for a file that does not exist, nor when the system has no watchers left.
 *
 * @param file the file to watch; it need not exist yet
 * @param onChange called without arguments; the next change is reported after its promise has settled
 *
 * @example
 * ```ts
 * import { watchFile } from '@behalf/policy';
 *
 * const stop = new AbortController();
 * watchFile('policy.yaml', () => console.log('policy.yaml changed'), { signal: stop.signal });
 * // later
 * stop.abort();
 * ```
 */
export function watchFile(file: string, onChange: () => void | Promise<void>, options: WatchOptions): void {
  if (options.signal.aborted) return;
  const watcher = new FileWatcher(file, onChange, options);
  options.signal.addEventListener(
    'abort',
    () => {
      watcher.stop();
    },
    { once: true },
  );
}

class FileWatcher {
  readonly #file: string;
  readonly #onChange: () => void | Promise<void>;
  readonly #debounceMs: number;
  readonly #pollMs: number;
  readonly #clock: Clock;
  #reported: string | undefined;
  #changed: { fingerprint: string; sinceMs: number } | undefined;
  #directory: FSWatcher | undefined;
  #cancel: () => void = () => undefined;
  #dueMs = Infinity;
  #looking = false;
  #notified = false;
  #stopped = false;

  constructor(file: string, onChange: () => void | Promise<void>, options: WatchOptions) {
    this.#file = path.resolve(file);
    this.#onChange = onChange;
    this.#debounceMs = options.debounceMs ?? DEFAULT_DEBOUNCE_MS;
    this.#pollMs = options.pollMs ?? DEFAULT_POLL_MS;
    this.#clock = options.clock ?? systemClock;
    this.#reported = fingerprintNow(this.#file);
    this.#watchDirectory();
    this.#lookIn(this.#pollMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
    this.#directory?.close();
    this.#directory = undefined;
  }

  /** Watches the directory, because a watch on the file ends when another file is renamed over it. */
  #watchDirectory(): void {
    if (this.#directory !== undefined || this.#stopped) return;
    try {
      const directory = watch(path.dirname(this.#file), { persistent: false });
      directory.on('change', () => {
        this.#notify();
      });
      // The directory is gone, or the system has no watchers left. Polling continues, and each poll tries to watch again.
      directory.on('error', () => {
        directory.close();
        this.#directory = undefined;
      });
      this.#directory = directory;
    } catch {
      this.#directory = undefined;
    }
  }

  #notify(): void {
    if (this.#looking) this.#notified = true;
    else this.#lookIn(this.#debounceMs);
  }

  /** Schedules a look at the file in `ms`, or keeps an earlier one, so a stream of notifications cannot postpone it. */
  #lookIn(ms: number): void {
    const dueMs = this.#clock.monotonic() + ms;
    if (this.#stopped || dueMs >= this.#dueMs) return;
    this.#cancel();
    this.#dueMs = dueMs;
    this.#cancel = this.#clock.after(ms, () => void this.#look());
  }

  async #look(): Promise<void> {
    this.#dueMs = Infinity;
    this.#looking = true;
    // A mount that hangs must not end the watching.
    const fingerprint = await withinTime(
      this.#file,
      () => stat(this.#file, { bigint: true }),
      this.#clock,
    ).then(fingerprintOf, () => undefined);
    if (this.#settled(fingerprint)) await this.#report(fingerprint);
    this.#looking = false;
    this.#watchDirectory();
    const isSoon = this.#notified || this.#changed !== undefined;
    this.#notified = false;
    this.#lookIn(isSoon ? this.#debounceMs : this.#pollMs);
  }

  /** Whether this is a change, and the file has stayed as it is for one interval (or has kept changing for too long). */
  #settled(fingerprint: string | undefined): fingerprint is string {
    if (fingerprint === undefined || fingerprint === this.#reported) {
      this.#changed = undefined;
      return false;
    }
    const nowMs = this.#clock.monotonic();
    if (this.#changed?.fingerprint === fingerprint) return true;
    this.#changed = { fingerprint, sinceMs: this.#changed?.sinceMs ?? nowMs };
    return nowMs - this.#changed.sinceMs >= MAX_DEBOUNCES * this.#debounceMs;
  }

  async #report(fingerprint: string): Promise<void> {
    this.#reported = fingerprint;
    this.#changed = undefined;
    if (this.#stopped) return;
    try {
      await this.#onChange();
    } catch {
      // The caller reports its own errors. The next change must be noticed all the same.
    }
  }
}

interface FileState {
  dev: bigint;
  ino: bigint;
  size: bigint;
  mtimeNs: bigint;
  ctimeNs: bigint;
}

/** Tells one state of a file from another without reading it. Links are followed, so a swapped link is another file. */
function fingerprintOf({ dev, ino, size, mtimeNs, ctimeNs }: FileState): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}

function fingerprintNow(file: string): string | undefined {
  try {
    return fingerprintOf(statSync(file, { bigint: true }));
  } catch {
    return undefined;
  }
}
