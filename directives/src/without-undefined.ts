type WithoutUndefined<M> = {
  readonly [K in keyof M as undefined extends M[K] ? never : K]: M[K];
} & {
  readonly [K in keyof M as undefined extends M[K] ? K : never]?: Exclude<M[K], undefined>;
};

/**
 * Removes undefined members, for values whose absent members must not exist: records, claims, and objects for libraries that
 * distinguish absent from undefined.
 *
 * @example
 * ```ts
 * import { withoutUndefined } from '@behalf/directives/internal';
 *
 * console.log(withoutUndefined({ a: 1, b: undefined })); // { a: 1 }
 * ```
 */
export function withoutUndefined<const M extends object>(members: M): WithoutUndefined<M> {
  const kept: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(members)) if (value !== undefined) kept[key] = value;
  return kept as WithoutUndefined<M>;
}
