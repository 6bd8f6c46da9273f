import type { ClientRegistration } from './register.js';

/** Looks a registration up at the moment when it counts. */
export type FindClient = (clientId: string) => Promise<ClientRegistration | undefined>;

/** Among those that were given at the start. */
export function among(clients: readonly ClientRegistration[]): FindClient {
  const byId = new Map(clients.map((client) => [client.clientId, client]));
  return async (clientId) => byId.get(clientId);
}
