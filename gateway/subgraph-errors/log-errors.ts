import type { GatewayLog } from '../log.js';
import { failureFacts } from '../stack-frames.js';

/** One hostile answer must not fill the log. */
const MAX_LINES = 20;

/** An execution error, for the log: one that a subgraph reported, or one that nobody expected. */
export type ErrorReport = SubgraphErrorReport | { readonly failure: unknown };

/** In names of the schema, without aliases, which a client chooses. */
export interface SubgraphErrorReport {
  readonly subgraph: string;
  readonly code: string;
  /** Names of fields and indices, with `?` for what the planner added. */
  readonly path: string;
  /** Only with `allowInsecureLogMessages`. */
  readonly message?: string | undefined;
  /** Unread errors of the same response. */
  readonly further: number;
}

/** Writes the errors of one operation's execution to the log: the first of them, then how many more there were. */
export class ErrorLog {
  #lines = 0;
  #omitted = 0;
  readonly #log: GatewayLog;
  readonly #transaction: string;

  constructor(log: GatewayLog, transaction: string) {
    this.#log = log;
    this.#transaction = transaction;
  }

  readonly add = (report: ErrorReport): void => {
    if ('further' in report) this.#omitted += report.further;
    if (this.#lines >= MAX_LINES) {
      this.#omitted += 1;
      return;
    }
    this.#lines += 1;
    this.#write(report);
  };

  #write(report: ErrorReport): void {
    const transaction = this.#transaction;
    if ('failure' in report) {
      this.#log.log('error', 'INTERNAL_SERVER_ERROR', { transaction, ...failureFacts(report.failure) });
      return;
    }
    const { subgraph, code, path, message } = report;
    const words = message === undefined ? {} : { message };
    this.#log.log('warn', 'SUBGRAPH_ERROR', { subgraph, code, path, transaction, ...words });
  }

  end(): void {
    if (this.#omitted === 0) return;
    this.#log.log('warn', 'SUBGRAPH_ERROR', { omitted: this.#omitted, transaction: this.#transaction });
  }
}
