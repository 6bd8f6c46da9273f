import { Worker } from 'node:worker_threads';
import type { Clock } from '@behalf/directives';
import { every, systemClock } from '@behalf/directives/internal';
import { RefusedError } from '../errors.js';
import type { GatewayLog } from '../log.js';
import type { PlannerData, PlannerMessage, PlanRequest } from './planner-messages.js';
import { RestartBudget } from './restart-budget.js';
import { threadClock } from './thread-time.js';
import type { ThreadClock } from './thread-time.js';

const WORKER = new URL('./planner-worker.js', import.meta.url);
const CHECK_EVERY_MS = 10;
/** Wall-clock limit for a plan on an overloaded machine. */
const MAX_WAIT_MS = 30_000;
/** Workers that may end before they can plan, in a row: another would fare no better. */
const MAX_FAILED_STARTS = 3;
/** The planner's own bounds. */
const PLANNER_LIMITS =
  /^(Exceeded maximum recursive selections|Number of non-local selections exceeds limit|Too many options generated)/;

export interface PlannerOptions extends PlannerData {
  /** Operations that wait for the current one. */
  readonly maxWaiting: number;
  readonly log: GatewayLog;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/** Milliseconds of processor time for everything planned for one request. */
export interface PlanningBudget {
  leftMs: number;
}

interface Job {
  readonly request: PlanRequest;
  readonly budget: PlanningBudget;
  readonly since: number;
  readonly resolve: (plan: string) => void;
  readonly reject: (error: unknown) => void;
}

/** The worker's current job. */
interface CurrentJob extends Job {
  /** On the worker's clock. */
  readonly begunAt: number;
  readonly budgetMs: number;
}

/**
 * Plans one operation at a time in its own thread, for one supergraph. Apollo's planner cannot be interrupted: when an
 * operation exceeds its budget, the thread is ended and replaced. Meanwhile the gateway answers operations with known plans.
 */
export class Planner {
  #worker: Worker | undefined;
  #threadTime: ThreadClock | undefined;
  readonly #clock: Clock;
  #current: CurrentJob | undefined;
  readonly #waiting: Job[] = [];
  #stopChecking: (() => void) | undefined;
  #failedStarts = 0;
  readonly #restarts: RestartBudget;
  #cancelRestart: (() => void) | undefined;
  #startedAt = 0;
  #isRetired = false;
  #isClosed = false;
  readonly #options: PlannerOptions;

  constructor(options: PlannerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#restarts = new RestartBudget(this.#clock);
    this.#start();
  }

  /**
   * @param budget read when the operation's turn comes, and reduced by what it used
   * @returns the plan as JSON
   * @throws {PlanningLimitError} {@link RefusedError} 503 `PLANNER_BUSY`
   */
  plan(request: PlanRequest, budget: PlanningBudget): Promise<string> {
    if (this.#isClosed) return Promise.reject(new Error('the planner is closed'));
    if (this.#waiting.length >= this.#options.maxWaiting) return Promise.reject(plannerBusy());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, budget, since: this.#clock.monotonic(), resolve, reject });
      this.#stopChecking ??= every(this.#clock, CHECK_EVERY_MS, () => this.#check());
      // The operation's process does not end before it is planned.
      this.#worker?.ref();
      this.#next();
    });
  }

  /** For a replaced supergraph: serves requests that began with it, and keeps no thread otherwise. */
  retire(): void {
    this.#isRetired = true;
    this.#rest();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelRestart?.();
    for (const job of this.#takeAll()) job.reject(new Error('the planner is closed'));
    this.#rest();
    this.#end();
  }

  #start(): void {
    const { supergraphSdl, config } = this.#options;
    this.#startedAt = this.#clock.monotonic();
    const worker = new Worker(WORKER, {
      workerData: { supergraphSdl, config } satisfies PlannerData,
      // Neither a debugger's port nor a test runner's loader is for it.
      execArgv: [],
    });
    if (this.#waiting.length === 0) worker.unref();
    this.#worker = worker;
    worker.on('message', (message: PlannerMessage) => {
      if (this.#worker === worker) this.#hear(message);
    });
    // Its exit event follows.
    worker.on('error', () => undefined);
    worker.on('exit', () => {
      if (this.#worker === worker) this.#ended();
    });
  }

  /** As soon as the restart budget allows. Meanwhile operations wait, as behind a slow one. */
  #restart(): void {
    if (this.#cancelRestart !== undefined || this.#isClosed) return;
    const waitMs = this.#restarts.take();
    if (waitMs === 0) {
      this.#start();
      return;
    }
    this.#cancelRestart = this.#clock.after(waitMs, () => {
      this.#cancelRestart = undefined;
      const isDone = this.#isRetired && this.#waiting.length === 0;
      if (this.#worker === undefined && !isDone) this.#restart();
    });
  }

  #hear(message: PlannerMessage): void {
    if (message.kind === 'ready') {
      this.#failedStarts = 0;
      this.#threadTime = threadClock(message.threadId, this.#clock);
      // If the system does not report the thread's own time, the clock began earlier.
      this.#restarts.note(Math.min(this.#threadTime(), this.#clock.monotonic() - this.#startedAt));
      this.#next();
      return;
    }
    const job = this.#current;
    this.#current = undefined;
    if (job !== undefined) {
      job.budget.leftMs -= this.#spent(job);
      if (message.kind === 'planned') job.resolve(message.plan);
      // The planner stops at these bounds, whatever time is left.
      else if (PLANNER_LIMITS.test(message.message)) job.reject(new PlanningLimitError(Infinity));
      else job.reject(new Error('the operation cannot be planned'));
    }
    this.#next();
  }

  #next(): void {
    const worker = this.#worker;
    const threadTime = this.#threadTime;
    if (this.#current !== undefined) return;
    if (this.#waiting.length === 0) {
      this.#rest();
      return;
    }
    if (worker === undefined) this.#restart();
    else if (threadTime !== undefined) {
      const job = this.#nextJob();
      if (job === undefined) return;
      this.#current = { ...job, begunAt: threadTime(), budgetMs: job.budget.leftMs };
      worker.postMessage(job.request);
    }
  }

  /** Earlier operations of the same request may have used up the budget. */
  #nextJob(): Job | undefined {
    let job = this.#waiting.shift();
    while (job !== undefined && job.budget.leftMs <= 0) {
      job.reject(new PlanningLimitError(0));
      job = this.#waiting.shift();
    }
    return job;
  }

  #spent({ begunAt }: CurrentJob): number {
    return (this.#threadTime?.() ?? begunAt) - begunAt;
  }

  #check(): void {
    const job = this.#current;
    if (job !== undefined && this.#spent(job) > job.budgetMs)
      this.#stop(job, new PlanningLimitError(job.budgetMs));
    else if (job !== undefined && this.#isOverdue(job)) this.#stop(job, plannerBusy());
    for (
      let first = this.#waiting[0];
      first !== undefined && this.#isOverdue(first);
      first = this.#waiting[0]
    ) {
      this.#waiting.shift();
      first.reject(plannerBusy());
    }
  }

  #stop(job: CurrentJob, refusal: RefusedError): void {
    job.budget.leftMs = 0;
    this.#current = undefined;
    this.#end();
    this.#options.log.log('warn', 'PLANNING_STOPPED', { code: refusal.refusal.code });
    job.reject(refusal);
    // The next operation should not wait for it.
    if (!this.#isRetired) this.#restart();
    this.#next();
  }

  #ended(): void {
    const wasReady = this.#threadTime !== undefined;
    this.#worker = undefined;
    this.#threadTime = undefined;
    this.#failedStarts = wasReady ? 0 : this.#failedStarts + 1;
    this.#options.log.log('error', 'PLANNER_ENDED', { ready: wasReady });
    // Ended by its operation, or by nobody's fault: the next worker may plan what waits.
    this.#current?.reject(new PlanningLimitError(this.#current.budgetMs));
    this.#current = undefined;
    if (this.#failedStarts >= MAX_FAILED_STARTS) {
      for (const job of this.#takeAll()) job.reject(new Error('the planner cannot be started'));
    } else if (!this.#isRetired) this.#restart();
    this.#next();
  }

  #end(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#threadTime = undefined;
    void worker?.terminate();
  }

  /** Idle. */
  #rest(): void {
    if (this.#current !== undefined || this.#waiting.length > 0) return;
    this.#stopChecking?.();
    this.#stopChecking = undefined;
    this.#worker?.unref();
    if (this.#isRetired) this.#end();
  }

  #takeAll(): Job[] {
    const jobs = [...(this.#current === undefined ? [] : [this.#current]), ...this.#waiting.splice(0)];
    this.#current = undefined;
    return jobs;
  }

  #isOverdue({ since }: Job): boolean {
    return this.#clock.monotonic() - since > MAX_WAIT_MS;
  }
}

/** 400 `PLANNING_LIMIT_EXCEEDED`. */
export class PlanningLimitError extends RefusedError {
  /** @param budgetMs the exceeded budget */
  constructor(readonly budgetMs: number) {
    super({
      code: 'PLANNING_LIMIT_EXCEEDED',
      message: 'The operation takes more work to plan than is allowed',
      status: 400,
    });
  }
}

function plannerBusy(): RefusedError {
  return new RefusedError({
    code: 'PLANNER_BUSY',
    message: 'Too many new operations are waiting to be planned',
    status: 503,
    headers: new Map([['retry-after', '1']]),
  });
}
