import { isGiven, readCount } from '../parameters.js';
import { shiftDate } from '../shift-date.js';
import { byDetail, isNumber, needsType } from '../strategy.js';
import type { StrategyDefinition } from '../strategy.js';

export interface ShiftParameters {
  /** Dates move by 1 to this many days, forwards or backwards. */
  readonly days: number;
}

const MAX_DAYS = 3_650;
/** All dates of a person move alike, in every field: no field has this name. */
const DOMAIN = 'SHIFT';

/** Dates moved by a keyed number of days for each person and client, so that the time between two of them stays. */
export const shift: StrategyDefinition<ShiftParameters> = {
  arguments: { days: 'Int' },
  read: ({ days }, coordinate) => ({
    days: readCount(isGiven(days) ? days : undefined, 'days', coordinate, [1, MAX_DAYS]),
  }),
  compile: ({ days }, { coordinate, keyedDigest, typeName }) => {
    needsType(!isNumber(typeName) && typeName !== 'Boolean', 'SHIFT', 'a date', coordinate);
    const digest = keyedDigest(DOMAIN);
    return (serialized, { clientId, subject }, value) =>
      subject === undefined ? null : shiftDate(serialized, value, daysOf(digest(clientId, subject), days));
  },
  compare: (before, after) => byDetail(-before.days, -after.days),
};

/** One of `-days … -1` and `1 … days`, each as likely: 0 would leave a date as it is. */
function daysOf(digest: Buffer, days: number): number {
  const drawn = Number(digest.readBigUInt64BE(0) % BigInt(2 * days));
  return drawn < days ? drawn - days : drawn - days + 1;
}
