import type { GatewayLog } from '../log.js';

/** One hostile answer must not fill the log. */
const MAX_LINES = 20;

/** An execution error, for the log: in names of the schema, without aliases, which a client chooses. */
export interface ErrorReport {
  /** Undefined for an error that no subgraph reported. */
  readonly subgraph: string | undefined;
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

  readonly add = ({ subgraph, code, path, message, further }: ErrorReport): void => {
    this.#omitted += further;
    if (this.#lines >= MAX_LINES) {
      this.#omitted += 1;
      return;
    }
    this.#lines += 1;
    const transaction = this.#transaction;
    if (subgraph === undefined) this.#log.log('error', 'INTERNAL_SERVER_ERROR', { transaction });
    else {
      const words = message === undefined ? {} : { message };
      this.#log.log('warn', 'SUBGRAPH_ERROR', { subgraph, code, path, transaction, ...words });
    }
  };

  end(): void {
    if (this.#omitted === 0) return;
    this.#log.log('warn', 'SUBGRAPH_ERROR', { omitted: this.#omitted, transaction: this.#transaction });
  }
}
