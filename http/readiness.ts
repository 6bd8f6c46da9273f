import type { ServerResponse } from 'node:http';
import { sendJson } from './send-json.js';
import { systemTimers } from './timers.js';
import type { Timers } from './timers.js';

/** Answers 200 while the process runs. */
export const LIVE_PATH = '/health/live';
/** Answers 200 while requests would be answered, and otherwise names by code what is missing. */
export const READY_PATH = '/health/ready';

/** Anybody may ask, so a check is not repeated more often than this. */
const KEEP_MS = 1_000;
/** A check that takes longer has failed: a load balancer does not wait either. */
const CHECK_TIMEOUT_MS = 2_000;

/** By the code that is reported unless the check resolves to true. */
export type ReadinessChecks<Code extends string> = Readonly<Record<Code, () => boolean | Promise<boolean>>>;

/** Whether a server would answer requests. Concurrent callers share one round of checks. */
export class Readiness<Code extends string> {
  readonly #checks: ReadinessChecks<Code>;
  readonly #clock: Timers;
  #found: { readonly problems: Promise<readonly Code[]>; readonly atMs: number } | undefined;

  constructor(checks: ReadinessChecks<Code>, clock: Timers = systemTimers) {
    this.#checks = checks;
    this.#clock = clock;
  }

  /** The codes of the failed checks, in the order of the checks; empty if the server is ready. Never rejects. */
  problems(): Promise<readonly Code[]> {
    const found = this.#found;
    if (found !== undefined && this.#clock.monotonic() - found.atMs < KEEP_MS) return found.problems;
    const problems = this.#check();
    this.#found = { problems, atMs: this.#clock.monotonic() };
    return problems;
  }

  async #check(): Promise<readonly Code[]> {
    const codes = Object.keys(this.#checks) as Code[];
    const results = await Promise.all(codes.map((code) => this.#passes(this.#checks[code])));
    return codes.filter((_code, index) => results[index] !== true);
  }

  async #passes(check: () => boolean | Promise<boolean>): Promise<boolean> {
    let cancel = (): void => undefined;
    const timeout = new Promise<boolean>((resolve) => {
      cancel = this.#clock.after(CHECK_TIMEOUT_MS, () => resolve(false));
    });
    try {
      return await Promise.race([Promise.resolve(check()), timeout]);
    } catch {
      return false;
    } finally {
      cancel();
    }
  }
}

/** Answers {@link LIVE_PATH}. */
export function sendLive(response: ServerResponse): void {
  sendJson(response, 200, { status: 'ok' }, UNCACHED);
}

/** Answers {@link READY_PATH}. */
export function sendReady(response: ServerResponse, problems: readonly string[]): void {
  if (problems.length === 0) sendJson(response, 200, { status: 'ok' }, UNCACHED);
  else
    sendJson(
      response,
      503,
      { status: 'unavailable', notReady: problems },
      { ...UNCACHED, 'retry-after': '1' },
    );
}

const UNCACHED = { 'cache-control': 'no-store' };
