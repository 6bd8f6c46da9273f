import { formatDecimal, toDouble, truncateTo } from '../decimal.js';
import { readCount } from '../parameters.js';
import { byDetail, isText, isWhole, needsType } from '../strategy.js';
import type { GeneralizationDefinition } from './generalization.js';
import { readNumber } from './read-number.js';

export interface DecimalsParameters {
  /** Reduces a coordinate to this many decimals. */
  readonly decimals: number;
}

/** More leave a coordinate whole: a double has no more decimals beside its degrees. */
const MAX_DECIMALS = 15;

/** Coordinates by decimals: one is a cell of 11 km, two are 1.1 km. */
export const decimals: GeneralizationDefinition<DecimalsParameters> = {
  arguments: { decimals: 'Int' },
  read: (args, coordinate) => ({
    decimals: readCount(args.decimals, 'decimals', coordinate, [0, MAX_DECIMALS]),
  }),
  compile: (parameters, { coordinate, typeName }) => {
    const fits = !isText(typeName) && !isWhole(typeName) && typeName !== 'Boolean';
    needsType(fits, 'GENERALIZE', 'Float', coordinate);
    return (value) => cutDecimals(value, parameters.decimals);
  },
  compare: (before, after) => byDetail(before.decimals, after.decimals),
};

/** Truncates instead of rounding, so that the result names the cell that contains the coordinate. */
export function cutDecimals(value: unknown, count: number): number | string | null {
  const number = typeof value === 'bigint' ? undefined : readNumber(value);
  if (number === undefined) return null;
  const cut = truncateTo(number, count);
  return typeof value === 'number' ? toDouble(cut) : formatDecimal(cut, cut.scale);
}
