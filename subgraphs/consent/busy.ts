import { GraphQLError } from 'graphql';

import { isStoreBusy } from '@behalf/authority/consent';
import type { ConsentContext } from './context.js';

type Mutation = (root: unknown, args: never, context: ConsentContext) => Promise<unknown>;

/** Reports a busy store by a code of its own: callers must know that nothing was stopped and that they can try again. */
export function tellBusy<Mutations extends Readonly<Record<string, Mutation>>>(
  mutations: Mutations,
): Record<keyof Mutations, Mutation>;
export function tellBusy(mutations: Readonly<Record<string, Mutation>>): Record<string, Mutation> {
  return Object.fromEntries(
    Object.entries(mutations).map(([name, mutation]) => [
      name,
      async (root: unknown, args: never, context: ConsentContext) => {
        try {
          return await mutation(root, args, context);
        } catch (error) {
          if (!isStoreBusy(error)) throw error;
          throw new GraphQLError('The store is busy and nothing was changed: try again', {
            extensions: { code: 'STORE_BUSY' },
          });
        }
      },
    ]),
  );
}
