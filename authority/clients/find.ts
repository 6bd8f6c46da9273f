import type { ClientRegistration } from '../client-registration.js';

/** Looks a registration up at the moment when it counts. */
export type FindClient = (clientId: string) => Promise<ClientRegistration | undefined>;
