import { truncate as truncateText } from '../graphemes.js';
import { isGiven, readCount } from '../parameters.js';
import { byDetail, isText, needsType, ofText } from '../strategy.js';
import type { StrategyDefinition } from '../strategy.js';

export interface TruncateParameters {
  /** Keeps the first `keep` user-perceived characters. */
  readonly keep: number;
}

const MAX_KEEP = 1_000;

/** The first characters of a text. */
export const truncate: StrategyDefinition<TruncateParameters> = {
  arguments: { keep: 'Int' },
  read: ({ keep }, coordinate) => ({
    keep: isGiven(keep) ? readCount(keep, 'keep', coordinate, [0, MAX_KEEP]) : 0,
  }),
  compile: ({ keep }, { coordinate, typeName }) => {
    needsType(isText(typeName), 'TRUNCATE', 'String or ID', coordinate);
    return ofText((text) => truncateText(text, keep));
  },
  compare: (before, after) => byDetail(before.keep, after.keep),
};
