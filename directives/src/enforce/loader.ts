import DataLoader from 'dataloader';

/**
 * Defines a DataLoader that exists once per request: it is keyed by the request's context value, so that a loader's cache can
 * never serve one caller's rows to another.
 *
 * @param batch gets the keys of one batch and the context value of their request
 * @returns a function from the context value to the request's loader
 *
 * @example
 * ```ts
 * import { defineLoader, type ProtectedContext } from '@behalf/directives';
 *
 * interface Account {
 *   readonly id: string;
 *   readonly ownerId: string;
 * }
 * declare function selectAccounts(ids: readonly string[], ownerId: string | undefined): Promise<Account[]>;
 *
 * export const accountLoader = defineLoader(async (ids: readonly string[], { delegation }: ProtectedContext) => {
 *   const accounts = await selectAccounts(ids, delegation?.subject);
 *   return ids.map((id) => accounts.find((account) => account.id === id) ?? new Error('no such account'));
 * });
 *
 * export function resolveAccount(_source: unknown, { id }: { id: string }, context: ProtectedContext): Promise<Account> {
 *   return accountLoader(context).load(id);
 * }
 * ```
 */
export function defineLoader<Context extends object, Key, Value, CacheKey = Key>(
  batch: (keys: readonly Key[], contextValue: Context) => Promise<ArrayLike<Value | Error>>,
  options?: DataLoader.Options<Key, Value, CacheKey>,
): (contextValue: Context) => DataLoader<Key, Value, CacheKey> {
  const loaders = new WeakMap<Context, DataLoader<Key, Value, CacheKey>>();
  return (contextValue) => {
    let loader = loaders.get(contextValue);
    if (loader === undefined) {
      loader = new DataLoader<Key, Value, CacheKey>((keys) => batch(keys, contextValue), options);
      loaders.set(contextValue, loader);
    }
    return loader;
  };
}
