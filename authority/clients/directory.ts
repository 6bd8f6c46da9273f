import type { Log } from '@behalf/store';
import type { ApplicationRegister } from './applications.js';
import { servingProblem, type ServingRules } from './check.js';
import type { ClientRegistration } from './register.js';

const MAX_TOLD = 1_000;

/** @see ClientDirectory */
export interface ClientDirectoryOptions {
  /** Checked at the start (`checkClients`). */
  readonly given: readonly ClientRegistration[];
  readonly applications: ApplicationRegister;
  /** What clients of the store are held against: they were registered without knowing which authority serves them. */
  readonly rules: ServingRules;
  readonly log: Log;
}

/** Every client: those that were given at the start, and those of the store. An identifier given at the start wins. */
export class ClientDirectory {
  readonly #options: ClientDirectoryOptions;
  readonly #given: ReadonlyMap<string, ClientRegistration>;
  /** What the log was told of whom: anybody can have a client looked up, as often as they like. */
  readonly #told = new Map<string, string>();

  constructor(options: ClientDirectoryOptions) {
    this.#options = options;
    this.#given = new Map(options.given.map((client) => [client.clientId, client]));
  }

  /**
   * Asks the store each time: a new application is known at once, a retired one unknown at once. One that does not fit this
   * authority is not known to it.
   */
  async find(clientId: unknown): Promise<ClientRegistration | undefined> {
    // PostgreSQL's text cannot hold a NUL character, so no application is called by one.
    if (typeof clientId !== 'string' || clientId.includes('\0')) return undefined;
    const given = this.#given.get(clientId);
    if (given !== undefined) return given;
    const stored = await this.#options.applications.findClient(clientId);
    if (stored === undefined) return undefined;
    const problem = servingProblem(stored, this.#options.rules);
    if (problem === undefined) return stored;
    this.#tell(clientId, problem);
    return undefined;
  }

  #tell(clientId: string, problem: string): void {
    if (this.#told.get(clientId) === problem) return;
    if (this.#told.size >= MAX_TOLD) this.#told.clear();
    this.#told.set(clientId, problem);
    this.#options.log.log('warn', 'CLIENT_NOT_SERVED', { clientId, problem });
  }
}
