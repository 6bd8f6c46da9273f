import type { ApplicationRegister } from './applications.js';
import type { ClientRegistration } from './register.js';

/** Every client: those that were given at the start, and those of the store. An identifier given at the start wins. */
export class ClientDirectory {
  readonly #given: ReadonlyMap<string, ClientRegistration>;
  readonly #applications: ApplicationRegister;

  constructor(given: readonly ClientRegistration[], applications: ApplicationRegister) {
    this.#given = new Map(given.map((client) => [client.clientId, client]));
    this.#applications = applications;
  }

  /** Asks the store each time: a new application is known at once, a retired one unknown at once. */
  async find(clientId: unknown): Promise<ClientRegistration | undefined> {
    if (typeof clientId !== 'string') return undefined;
    return this.#given.get(clientId) ?? this.#applications.findClient(clientId);
  }
}
