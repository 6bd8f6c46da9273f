import { expect, it, vi } from 'vitest';
import { ErrorPlacement } from '../../../gateway/authorize/place-errors.js';
import type { PlacementOptions } from '../../../gateway/authorize/place-errors.js';
import { ErrorList } from '../../../gateway/client-error.js';
import { SentOperation } from '../../../gateway/subgraph-errors/sent-operation.js';
import { fetchFailure, readErrors } from '../../../gateway/subgraph-errors/subgraph-error.js';

it('an error that a subgraph repeats is placed once, however many places it has', () => {
  const places = Array.from({ length: 900 }, (_, key) => ({ position: { before: undefined, key } }));
  const nullsOf = vi.fn(() => ({ places, omitted: 0 }));
  const errors = new ErrorList(1_000);
  const fetch = { subgraph: 'people', at: [], sent: new SentOperation('{ rows { a } }'), entities: 0 };
  const placement = new ErrorPlacement({
    fetches: { nullsOf } as unknown as PlacementOptions['fetches'],
    places: undefined as unknown as PlacementOptions['places'],
    rules: undefined as unknown as PlacementOptions['rules'],
    errors,
    report: () => undefined,
    isShadow: false,
  });
  const repeated = Array.from({ length: 1_000 }, () => ({
    message: 'x',
    extensions: { code: 'SUBREQUEST_HTTP_ERROR' },
  }));
  placement.addAll(readErrors(repeated, fetch, {}, false));
  expect(nullsOf).toHaveBeenCalledTimes(1);
  expect(errors.toArray()).toHaveLength(900);
  // A missing answer is a different error, and so is another code.
  placement.addAll([fetchFailure(fetch, 'SUBREQUEST_HTTP_ERROR')]);
  placement.addAll(readErrors([{ message: 'x', extensions: { code: 'LOST' } }], fetch, {}, false));
  expect(nullsOf).toHaveBeenCalledTimes(3);
});
