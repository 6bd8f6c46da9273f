import type { Log } from '@behalf/store';
import type { ApplicationRegister } from './applications.js';
import { servingProblem, type ServingRules } from './check.js';
import type { ClientRegistration } from '../client-registration.js';

const MAX_TOLD = 1_000;

/** @see ClientDirectory */
export interface ClientDirectoryOptions {
  /** Checked at the start (`checkClients`). */
  readonly given: readonly ClientRegistration[];
  readonly applications: ApplicationRegister;
  /** The requirements on clients of the store, which were registered without knowing which authority would serve them. */
  readonly rules: ServingRules;
  readonly log: Log;
}

/** All clients: those of the options and those of the store. The options take precedence. */
export class ClientDirectory {
  readonly #options: ClientDirectoryOptions;
  readonly #given: ReadonlyMap<string, ClientRegistration>;
  /** The problems already logged per client, because anybody can have a client looked up any number of times. */
  readonly #told = new Map<string, string>();

  constructor(options: ClientDirectoryOptions) {
    this.#options = options;
    this.#given = new Map(options.given.map((client) => [client.clientId, client]));
  }

  /**
   * Queries the store each time, so that new and retired applications take effect immediately. An application that does not meet
   * this authority's requirements is treated as unknown.
   */
  async find(clientId: unknown): Promise<ClientRegistration | undefined> {
    // PostgreSQL's text cannot hold a NUL character, so no identifier contains one.
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

  /** Whether a client that is served has web pages of this origin. */
  async hasOrigin(origin: string): Promise<boolean> {
    for (const { origins } of this.#given.values()) if (origins?.includes(origin) === true) return true;
    const stored = await this.#options.applications.findByOrigin(origin);
    return stored.some(
      (client) =>
        !this.#given.has(client.clientId) && servingProblem(client, this.#options.rules) === undefined,
    );
  }

  #tell(clientId: string, problem: string): void {
    if (this.#told.get(clientId) === problem) return;
    if (this.#told.size >= MAX_TOLD) this.#told.clear();
    this.#told.set(clientId, problem);
    this.#options.log.log('warn', 'CLIENT_NOT_SERVED', { clientId, problem });
  }
}
