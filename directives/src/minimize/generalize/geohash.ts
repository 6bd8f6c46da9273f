import { readCount } from '../parameters.js';
import { byDetail, isText, needsType, ofText } from '../strategy.js';
import type { GeneralizationDefinition } from './generalization.js';

export interface GeohashParameters {
  /** How many characters stay: 5 are a cell of about 5 km, 4 of 39 km × 20 km. */
  readonly geohash: number;
}

const GEOHASH = /^[0-9b-hjkmnp-z]{1,22}$/i;
const MAX_LENGTH = 12;

/** Geohashes by length: a shorter one is the larger cell around it. */
export const geohash: GeneralizationDefinition<GeohashParameters> = {
  arguments: { geohash: 'Int' },
  read: (args, coordinate) => ({ geohash: readCount(args.geohash, 'geohash', coordinate, [1, MAX_LENGTH]) }),
  compile: (parameters, { coordinate, typeName }) => {
    needsType(isText(typeName), 'GENERALIZE', 'String or ID', coordinate);
    return ofText((text) => (GEOHASH.test(text) ? text.slice(0, parameters.geohash) : null));
  },
  compare: (before, after) => byDetail(before.geohash, after.geohash),
};
