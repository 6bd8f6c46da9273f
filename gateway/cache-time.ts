import type { Clock } from '@behalf/directives';

/** The options of an `LRUCache` whose entries age by this clock. It is asked each time: by default a time stays for a millisecond. */
export function cacheTime(clock: Pick<Clock, 'monotonic'>): {
  readonly perf: { readonly now: () => number };
  readonly ttlResolution: 0;
} {
  return { perf: { now: () => clock.monotonic() }, ttlResolution: 0 };
}
